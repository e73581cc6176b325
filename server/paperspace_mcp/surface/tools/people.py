"""Who is meant: a user's id or e-mail, exactly. Whoever is only like it is shown and never taken."""

from collections.abc import Sequence
from dataclasses import dataclass

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError, Candidate, Failure, UpstreamError
from paperspace_mcp.contract.requests import PAGE_LIMIT, PageQuery
from paperspace_mcp.contract.shapes import User
from paperspace_mcp.rules import naming
from paperspace_mcp.rules.guard.cleaning import plain
from paperspace_mcp.rules.likeness import CANDIDATES, Likeliest, Likeness, folded
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.walking import walk

TEAM_ROWS = 10_000
"""How many people of a team are looked at."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user. `typed`: what a person types to mean them, the e-mail where it is known and can be typed."""

    id: str
    email: str = ""

    @property
    def typed(self) -> str:
        return self.email if self.email and plain(self.email) else self.id


@dataclass(frozen=True, slots=True)
class _Team:
    """The members that could be read. gap: why that may not be all of them (`key`, `down`, `long`), or ""."""

    users: Sequence[User]
    gap: str = ""


async def person(desk: Desk, reference: str, known: Sequence[User] = ()) -> Person:
    """The user of an id or an e-mail. `known`: people that need no look-up, such as a machine's accessors.

    Raises:
        CallerError: unknown_user or ambiguous_user, with up to five candidates.
    """
    if found := _matching(known, reference):
        return _one(found)
    return _member(await _team(desk), reference, known)


async def people(desk: Desk, references: Sequence[str], argument: str) -> list[Person]:
    """The users of several ids or e-mails; the team is read once. Raises as `person`, and says which is meant."""
    team, found = await _team(desk) if references else _Team(()), list[Person]()
    for number, reference in enumerate(references, 1):
        try:
            found.append(_member(team, reference))
        except CallerError as failure:
            failure.facts["among"] = f"{argument}, number {number}"
            raise
    return found


def _member(team: _Team, reference: str, known: Sequence[User] = ()) -> Person:
    if found := _matching(team.users, reference):
        return _one(found)
    if team.gap and _may_be_id(reference):
        return Person(reference)
    near = _similar([*known, *team.users], reference)
    raise CallerError("unknown_user", facts={"cause": team.gap}, candidates=near, retryable=team.gap == "down")


def _matching(users: Sequence[User], reference: str) -> list[User]:
    """Those of exactly this id, or of this e-mail in any case; each once."""
    wanted = reference.strip()
    by_id = {user.id: user for user in users}
    if wanted in by_id:
        return [by_id[wanted]]
    return [user for user in by_id.values() if user.email and folded(user.email) == folded(wanted)]


def _one(users: Sequence[User]) -> Person:
    if len(users) > 1:
        raise CallerError("ambiguous_user", candidates=tuple(map(_candidate, users[:CANDIDATES])))
    return Person(users[0].id, users[0].email or "")


def _may_be_id(reference: str) -> bool:
    """Where the team cannot be read: every user id that was ever seen begins with u or has a digit, a name has not."""
    return naming.is_id(reference) and (reference[0] == "u" or any(map(str.isdigit, reference)))


def _similar(users: Sequence[User], reference: str) -> tuple[Candidate, ...]:
    """A team's addresses end alike, so only what stands before the @ tells one from another."""
    like, best = Likeness(reference.partition("@")[0]), Likeliest()
    for user in users:
        best.see(like.of(_names(user), user.id), _candidate(user))
    return best.candidates


def _names(user: User) -> list[str]:
    """All that somebody may be called."""
    names = (_name(user), user.first_name, user.last_name, (user.email or "").partition("@")[0])
    return [name for name in names if name]


def _name(user: User) -> str:
    return " ".join(filter(None, (user.first_name, user.last_name)))


def _candidate(user: User) -> Candidate:
    return Candidate(user.id, _name(user), email=user.email or "")


async def _team(desk: Desk) -> _Team:
    """The team's members, as far as this API offers them: it is no part of the reference."""
    try:
        session = await desk.conduct.read(catalogue.AUTH_SESSION)
        if session.team is None:
            return _Team([session.user] if session.user else [], "key")
        query, path = PageQuery(limit=PAGE_LIMIT), {"id": session.team.id}
        found = await walk(desk.conduct, catalogue.LIST_TEAM_USERS, query, rows=TEAM_ROWS, path=path)
    except Failure as failure:
        if failure.code in {"unauthorized", "no_key", "bad_key"}:
            raise
        return _Team([], "down" if isinstance(failure, UpstreamError) else "key")
    return _Team([member.user for member in found.items], "" if found.complete else "long")

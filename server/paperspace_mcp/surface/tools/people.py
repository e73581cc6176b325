"""Who is meant: a user's id, or an e-mail where the team can be read."""

from dataclasses import dataclass

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError, Failure
from paperspace_mcp.contract.requests import PAGE_LIMIT, PageQuery
from paperspace_mcp.contract.shapes import User
from paperspace_mcp.rules import naming
from paperspace_mcp.rules.guard.cleaning import plain
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.walking import walk


@dataclass(frozen=True, slots=True)
class Person:
    """A user. `typed`: what a person types to mean them, the e-mail where it is known and can be typed."""

    id: str
    email: str = ""

    @property
    def typed(self) -> str:
        return self.email if self.email and plain(self.email) else self.id


async def person(desk: Desk, reference: str, known: tuple[User, ...] = ()) -> Person:
    """The user of an id or an e-mail. `known`: people that need no look-up, such as a machine's accessors.

    Raises:
        CallerError: unknown_user, also where an e-mail is given and the team cannot be read.
    """
    reference = reference.strip()
    team = known if any(_is(user, reference) for user in known) else await _team(desk)
    found = {user.id: user for user in team if _is(user, reference)}
    if len(found) == 1:
        user = next(iter(found.values()))
        return Person(user.id, user.email or "")
    if found or not naming.is_id(reference):
        raise CallerError("unknown_user")
    return Person(reference)


def _is(user: User, reference: str) -> bool:
    return user.id == reference or (user.email or "").casefold() == reference.casefold()


async def _team(desk: Desk) -> list[User]:
    """The team's members; none where the API does not offer them, as its neighbours of the reference may not."""
    try:
        session = await desk.conduct.read(catalogue.AUTH_SESSION)
        if session.team is None:
            return []
        query, path = PageQuery(limit=PAGE_LIMIT), {"id": session.team.id}
        found = await walk(desk.conduct, catalogue.LIST_TEAM_USERS, query, path=path)
    except Failure as failure:
        if failure.code in {"unauthorized", "no_key", "bad_key"}:
            raise
        return []
    return [member.user for member in found.items]

"""What a person may be typing: a machine, its id, or the scope of a plan.

A keystroke reads at most two pages of machines, whatever the fleet's size, and mostly none: pages are kept for a
moment, and a page on which all that begins the same way was seen answers what is typed further. Without a key or an
upstream nothing of the account is offered, and that is no error.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

import anyio
from mcp_types import Completion, PromptReference, ResourceTemplateReference

from paperspace_mcp.conduct import Conduct
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError, Failure
from paperspace_mcp.contract.requests import PAGE_LIMIT, MachinesQuery
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import naming
from paperspace_mcp.rules.counting import prefix
from paperspace_mcp.rules.guard.cleaning import plain
from paperspace_mcp.rules.selecting import scoped
from paperspace_mcp.surface import prompts, resources
from paperspace_mcp.surface.tools.params import NAME_CAP

MOST = 100
"""The most values that the protocol lets an answer have."""
KEPT_S = 10.0
PATIENCE_S = 5.0
"""How long a keystroke waits for a page: nobody waits longer for a suggestion, and the first read loads the wire."""
_KEPT = 32
"""How many pages are kept."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Machines to offer from. whole: it is the fleet; more: there may be others that fit what was typed.

    Neither is true of a page that could not be read.
    """

    machines: tuple[Machine, ...] = ()
    whole: bool = False
    more: bool = False
    at: float = 0.0


Offers = Callable[[Seen, str], list[str]]


class Completions:
    """Completes for one account: that of the process."""

    def __init__(self, conduct: Conduct, offered: Collection[str]) -> None:
        self._conduct = conduct
        self._offered = offered
        self._pages = dict[str, Seen]()
        self._reading = anyio.Lock()

    async def complete(self, ref: PromptReference | ResourceTemplateReference, argument: str, value: str) -> Completion:
        """What may be meant by what was typed so far.

        Raises:
            Failure: for a prompt, an argument or a template of which nothing is completed.
        """
        offers, typed = self._offers(ref, argument), value.strip()
        if len(typed) > NAME_CAP:
            return Completion(values=[], total=0, has_more=False)
        seen = await self._seen(typed)
        values = list(dict.fromkeys(offers(seen, typed.casefold())))
        more = seen.more or len(values) > MOST
        return Completion(values=values[:MOST], total=len(values) if seen.whole else None, has_more=more)

    def _offers(self, ref: PromptReference | ResourceTemplateReference, argument: str) -> Offers:
        if isinstance(ref, PromptReference):
            owner: str | None = prompts.find(ref.name, self._offered).name
        else:
            open_ones = [one.uri_template for one in resources.templates(self._offered)]
            owner = ref.uri if ref.uri in open_ones else None
        found = _OFFERS.get((owner or "", argument))
        if found is None:
            known = ", ".join(f"{name} of {of}" for of, name in _OFFERS)
            raise CallerError("not_completed", facts={"known": known})
        return found

    async def _seen(self, typed: str) -> Seen:
        """The first page where that is the fleet, else with it the machines that the name finds."""
        first = await self._page("")
        if not first.more or not plain(typed):
            return first
        found = self._within(typed) or await self._page(typed)
        machines = {machine.id: machine for machine in (*found.machines, *first.machines)}
        return Seen(tuple(machines.values()), more=found.more)

    def _within(self, typed: str) -> Seen | None:
        """A kept page with all machines whose names have the beginning of what was typed: the others have less."""
        kept = (self._fresh(typed[:length]) for length in range(len(typed), 0, -1))
        return next((one for one in kept if one and one.machines and not one.more), None)

    def _fresh(self, name: str) -> Seen | None:
        found = self._pages.get(name)
        return found if found and 0 <= self._conduct.rooms.now() - found.at < KEPT_S else None

    async def _page(self, name: str) -> Seen:
        """One page of machines, a kept one if there is one. A failure is kept too: the next key does not repeat it."""
        async with self._reading:
            if fresh := self._fresh(name):
                return fresh
            seen = await self._read(name)
            self._pages.pop(name, None)
            self._pages[name] = seen
            while len(self._pages) > _KEPT:
                del self._pages[next(iter(self._pages))]
            return seen

    async def _read(self, name: str) -> Seen:
        given = {"name": name} if name else {}
        query = MachinesQuery(order_by="name", order="asc", limit=PAGE_LIMIT, **given)
        now = self._conduct.rooms.now()
        with anyio.move_on_after(PATIENCE_S):
            try:
                page = await self._conduct.read(catalogue.LIST_MACHINES, {}, query)
            except Failure:
                return Seen(at=now)
            living = (one for one in page.items if one.dt_deleted is None and naming.is_id(one.id))
            return Seen(tuple(living), whole=not (name or page.cursor), more=page.cursor is not None, at=now)
        return Seen(at=now)


def _machines(seen: Seen, typed: str) -> list[str]:
    return list(map(_spoken(seen), _matching(seen, typed)))


def _ids(seen: Seen, typed: str) -> list[str]:
    return [machine.id for machine in _matching(seen, typed)]


def _spoken(seen: Seen) -> Callable[[Machine], str]:
    """How a machine is told: by a name that can be typed and means it alone, else by its id."""
    names, ids = Counter(machine.name for machine in seen.machines), {machine.id for machine in seen.machines}

    def told(machine: Machine) -> str:
        sure = plain(machine.name) and names[machine.name] == 1 and machine.name not in ids
        return machine.name if sure else machine.id

    return told


def _matching(seen: Seen, typed: str) -> list[Machine]:
    """Machines by name or id: first those that begin so, then those whose name has it somewhere."""
    ranked = [(_rank(machine, typed), machine) for machine in seen.machines]
    fitting = [(rank, one.name.casefold(), one.id, one) for rank, one in ranked if rank is not None]
    return [machine for *_, machine in sorted(fitting, key=lambda one: one[:3])]


def _rank(machine: Machine, typed: str) -> int | None:
    name = machine.name.casefold()
    if name.startswith(typed):
        return 0
    if machine.id.casefold().startswith(typed):
        return 1
    return 2 if typed in name else None


def _scopes(seen: Seen, typed: str) -> list[str]:
    """Regions, globs for names that begin alike, the fleet's machine types, and machines.

    A machine's name that would be read as one of the others is told by its id.
    """
    words = [*naming.REGIONS, *_globs(seen), *_types(seen)]
    begun = [word for word in words if word.casefold().startswith(typed) or word == naming.region(typed)]
    told, machines = _spoken(seen), _matching(seen, typed)
    return [*begun, *(name if scoped(name := told(one)).machines else one.id for one in machines)]


def _globs(seen: Seen) -> list[str]:
    groups = Counter(prefix(machine.name) for machine in seen.machines)
    return [f"{word}*" for word, number in sorted(groups.items()) if number > 1 and plain(word)]


def _types(seen: Seen) -> list[str]:
    """Those that a scope knows: the provider's text is data too."""
    return [kind for kind in sorted({one.machine_type for one in seen.machines}) if scoped(kind).machine_type]


_OFFERS: dict[tuple[str, str], Offers] = {
    ("why_did_it_stop", "machine"): _machines,
    ("shutdown_plan", "scope"): _scopes,
    (resources.MACHINE, "id"): _ids,
    (resources.EVENTS, "id"): _ids,
}

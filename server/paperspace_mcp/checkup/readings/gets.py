"""The GETs of `doctor --contract`, in the order they are sent. Pure: each is made from the answers before it."""

from collections.abc import Callable
from dataclasses import dataclass

from paperspace_mcp.checkup.readings import picks
from paperspace_mcp.checkup.readings.answers import Answers, Record, Unsettled, text
from paperspace_mcp.rules import naming
from paperspace_mcp.wire.probing import Query

LONGEST = 120
"""The most rows that the reference gives in a page."""
NO_MACHINE, NO_PATH, NO_NAME, NO_TYPE = "ps0doctor0asks", "/doctor-asks", "doctor-asks-for-nobody", "DoctorAsks"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. keyed: whether it carries the key."""

    path: str
    query: Query = ()
    keyed: bool = True


@dataclass(frozen=True, slots=True)
class Get:
    """A request by its name. `ask` raises Unsettled where it cannot be asked, or need not be."""

    name: str
    ask: Callable[[Answers], Ask]


def _plain(name: str, path: str, *query: tuple[str, str], keyed: bool = True) -> Get:
    return Get(name, lambda _answers: Ask(path, query, keyed))


def _machines(name: str, *query: tuple[str, str], limit: int = 1) -> Get:
    return _plain(name, "/machines", ("limit", str(limit)), *query)


def _found(name: str, given: Callable[[Answers], tuple[str, str]]) -> Get:
    """A page of machines that a filter finds."""
    return Get(name, lambda answers: Ask("/machines", (("limit", str(LONGEST)), given(answers))))


def _below(name: str, machine: Callable[[Answers], str], tail: str = "", *query: tuple[str, str]) -> Get:
    return Get(name, lambda answers: Ask(f"/machines/{machine(answers)}{tail}", query))


def cursor(answers: Answers, name: str = "first_page") -> str:
    """The cursor of a page of one machine. Raises Unsettled where that is the last."""
    page = answers.page(name)
    if not page.more:
        rows = sum(len(one.rows) for _, one in answers.pages("first_page", *((name,) if name != "first_page" else ())))
        raise Unsettled(f"the account has {rows} machine{'' if rows == 1 else 's'}")
    if not isinstance(page.cursor, str) or not page.cursor:
        raise Unsettled("a page with more behind it has no cursor")
    return page.cursor


def _after(name: str, page: str, *query: tuple[str, str]) -> Get:
    """One machine, after the cursor of an earlier page."""
    return Get(name, lambda answers: Ask("/machines", (("limit", "1"), *query, ("after", cursor(answers, page)))))


def _twice(answers: Answers) -> Ask:
    """Two limits at once, for a list with two rows or more."""
    query = (("limit", "1"), ("limit", "2"))
    for name, page in answers.pages("machines", "events"):
        if len(page.rows) > 1:
            return Ask({"machines": "/machines", "events": "/machine-events"}[name], query)
    raise Unsettled("there are not two machines or events")


def _name(change: Callable[[str], str]) -> Callable[[Answers], tuple[str, str]]:
    return lambda answers: ("name", change(text(picks.named(answers), "name")))


def found(answers: Answers, name: str, machine_id: str) -> bool:
    """Whether a filter finds a machine. Raises Unsettled where it may be on a later page."""
    page = answers.page(name)
    seen = any(row.get("id") == machine_id for row in page.rows)
    if page.more and not seen:
        raise Unsettled("more machines are found than a page has")
    return seen


def _unless(
    earlier: tuple[str, ...], given: Callable[[Answers], tuple[str, str]]
) -> Callable[[Answers], tuple[str, str]]:
    """A filter that is asked only where none of these found the machine."""

    def needed(answers: Answers) -> tuple[str, str]:
        machine_id = text(picks.named(answers), "id")
        if any(found(answers, name, machine_id) for name in earlier):
            raise Unsettled("it was not needed")
        return given(answers)

    return needed


def elsewhere(code: str) -> str:
    """A region that is not this one."""
    return next(other for other in picks.LONG if other != code)


def _region(answers: Answers) -> tuple[str, str]:
    return "region", picks.LONG[picks.placed(answers)]


def _other_region(answers: Answers) -> tuple[str, str]:
    return "region", picks.LONG[elsewhere(picks.placed(answers))]


def _other_case(answers: Answers) -> tuple[str, str]:
    return "machineType", text(picks.typed(answers), "machineType").swapcase()


def _accessors(number: int) -> Get:
    machine = _id(lambda answers: picks.looked_at(answers, number))
    return _below(picks.accessors(number), machine, "/accessors", ("limit", str(LONGEST)))


def _removed(answers: Answers) -> Ask:
    machine, user = picks.removed_accessor(answers)
    return Ask(f"/machines/{machine}/accessors/{user}")


def _id(machine: Callable[[Answers], Record]) -> Callable[[Answers], str]:
    return lambda answers: text(machine(answers), "id")


GETS: tuple[Get, ...] = (
    _plain("machines_default", "/machines"),
    _machines("machines", limit=LONGEST),
    _plain("events_default", "/machine-events"),
    _plain("events", "/machine-events", ("limit", str(LONGEST))),
    _plain("oldest_event", "/machine-events", ("limit", "1"), ("order", "asc")),
    _machines("first_page"),
    _after("next_page", "first_page"),
    _after("other_order", "next_page", ("order", "asc")),
    _machines("unknown_cursor", ("after", NO_MACHINE)),
    _machines("unknown_query", ("doctorAsks", "1")),
    Get("repeated_query", _twice),
    _machines("long_limit", limit=LONGEST + 1),
    _machines("wrong_order", ("order", "sideways")),
    _plain("unknown_machine", f"/machines/{NO_MACHINE}"),
    _plain("unknown_path", NO_PATH),
    _found("name_of_none", lambda _answers: ("name", NO_NAME)),
    _found("name_middle", _name(picks.middle)),
    _found("name_beginning", _unless(("name_middle",), _name(lambda name: name[:-1]))),
    _found("name_whole", _unless(("name_middle", "name_beginning"), _name(str))),
    _found("name_other_case", _name(str.swapcase)),
    _found("region_long", _region),
    _found("region_elsewhere", _other_region),
    _found("type_of_none", lambda _answers: ("machineType", NO_TYPE)),
    _found("type_other_case", _other_case),
    _below("deleted_machine", picks.deleted),
    _below("desktop_headless", _id(picks.headless), "/desktop"),
    _below("desktop_off", _id(lambda answers: picks.desktop(answers, on=False)), "/desktop"),
    _below("desktop_on", _id(lambda answers: picks.desktop(answers, on=True)), "/desktop"),
    *map(_accessors, range(picks.LOOKED_AT)),
    Get("removed_accessor", _removed),
    _plain("session", "/auth/session"),
    _plain("session_without_key", "/auth/session", keyed=False),
    Get("team_users", lambda answers: Ask(f"/teams/{picks.team(answers)}/users", (("limit", "1"),))),
    _plain("templates", "/os-templates", ("limit", str(LONGEST))),
    _plain("availability", "/machine-availability", ("machineType", "A4000"), ("region", naming.REGIONS[0])),
    _plain("description", "/openapi.json", keyed=False),
)

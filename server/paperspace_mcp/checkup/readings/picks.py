"""Which machine a question is asked about, chosen from the account itself. Pure; each raises Unsettled for none."""

from collections.abc import Iterable

from paperspace_mcp.checkup.readings.answers import Answers, Record, Unsettled, text
from paperspace_mcp.rules import naming

RUNNING = frozenset({"ready", "serviceready"})
HEADLESS, DESKTOPS = "LinuxHeadless", frozenset({"LinuxDesktop", "WindowsDesktop"})
LONG = {"ny2": "East Coast (NY2)", "ca1": "West Coast (CA1)", "ams1": "Europe (AMS1)"}
"""The names of regions that answers had in 2024."""
LOOKED_AT = 3
"""Machines whose accessors are read."""
_SHORTEST = 4


def first(found: Iterable[Record], why: str) -> Record:
    """The first of them."""
    for record in found:
        return record
    raise Unsettled(why)


def all_machines(answers: Answers) -> list[Record]:
    """The machines of the longest page, also deleted ones."""
    return answers.rows("machines")


def machines(answers: Answers) -> list[Record]:
    """The living machines whose ids can stand in a path."""
    living = [row for row in all_machines(answers) if row.get("dtDeleted") is None and naming.is_id(text(row, "id"))]
    if not living:
        raise Unsettled("the account has no machines")
    return living


def named(answers: Answers) -> Record:
    """The machine with the longest name whose middle is neither its beginning nor its end, in letters of two cases."""
    fit = [row for row in machines(answers) if _fits(text(row, "name"))]
    longest = sorted(fit, key=lambda row: -len(text(row, "name")))
    return first(longest, "no machine has a plain name of four characters or more")


def _fits(name: str) -> bool:
    plain = name.isascii() and name.isprintable() and name == name.strip() and name != name.swapcase()
    part = middle(name)
    return plain and len(name) >= _SHORTEST and not name.startswith(part) and not name.endswith(part)


def middle(name: str) -> str:
    """A name without its first and last character."""
    return name[1:-1]


def placed(answers: Answers) -> str:
    """The code of a known region in which a machine is."""
    for row in machines(answers):
        if code := naming.region(text(row, "region")):
            return code
    raise Unsettled("no machine is in a known region")


def typed(answers: Answers) -> Record:
    """A machine whose type has letters."""
    cased = (row for row in machines(answers) if text(row, "machineType").swapcase() != text(row, "machineType"))
    return first(cased, "no machine has a type with letters in it")


def headless(answers: Answers) -> Record:
    fit = (row for row in machines(answers) if text(row, "agentType") == HEADLESS and text(row, "state") in RUNNING)
    return first(fit, "no headless machine is on")


def desktop(answers: Answers, *, on: bool) -> Record:
    states = RUNNING if on else {"off"}
    fit = (row for row in machines(answers) if text(row, "agentType") in DESKTOPS and text(row, "state") in states)
    return first(fit, f"no machine with a desktop is {'on' if on else 'off'}")


def looked_at(answers: Answers, number: int) -> Record:
    """The newest machine, the oldest, and one between, as far as there are so many."""
    found = machines(answers)
    places = dict.fromkeys((0, len(found) - 1, len(found) // 2))
    if number >= len(places):
        raise Unsettled(f"the account has only {len(found)} machines")
    return found[list(places)[number]]


def removed_accessor(answers: Answers) -> tuple[str, str]:
    """A machine's id and the id of a person who was removed from it."""
    for number in range(LOOKED_AT):
        for _, page in answers.pages(accessors(number)):
            for row in page.rows:
                user = row["user"] if isinstance(row.get("user"), dict) else {}
                if row.get("dtDeleted") is not None and naming.is_id(text(user, "id")):
                    return text(looked_at(answers, number), "id"), text(user, "id")
    raise Unsettled("no removed accessor was seen")


def accessors(number: int) -> str:
    """The name of the GET that reads a machine's accessors."""
    return f"accessors_{number + 1}"


def deleted(answers: Answers) -> str:
    """The id of a machine that is gone: listed with its date, or told by an event of its deletion."""
    living = {text(row, "id") for row in all_machines(answers) if row.get("dtDeleted") is None}
    listed = [text(row, "id") for row in all_machines(answers) if row.get("dtDeleted") is not None]
    told = [text(row, "machineId") for row in answers.rows("events") if _deletion(row)]
    for machine_id in [*listed, *told]:
        if naming.is_id(machine_id) and machine_id not in living:
            return machine_id
    raise Unsettled("no deleted machine is known from the newest events")


def _deletion(event: Record) -> bool:
    return event.get("name") == "deactivate" and event.get("state") == "done"


def team(answers: Answers) -> str:
    found = answers.record("session").get("team")
    team_id = text(found, "id") if isinstance(found, dict) else ""
    if not naming.is_id(team_id):
        raise Unsettled("the session names no team")
    return team_id

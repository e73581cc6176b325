"""Readings of lists: their pages, limits and cursors. Pure."""

from paperspace_mcp.checkup.readings import forms, gets
from paperspace_mcp.checkup.readings.answers import FOUND, MISSING, REFUSED, Answers, Page, Unsettled, text
from paperspace_mcp.checkup.readings.question import Reading, Value


def default_limit(answers: Answers) -> Reading:
    """A list without a limit that says that there is more has as many rows as it gives by default."""
    pages = dict(answers.pages("machines_default", "events_default"))
    counted = {_noun(name): len(page.rows) for name, page in pages.items() if page.more}
    if not counted:
        seen = " and ".join(f"{len(page.rows)} {_noun(name)}" for name, page in pages.items())
        raise Unsettled(f"each list came whole: {seen}" if seen else "no list could be read")
    told = [f"{rows} {noun}" for noun, rows in counted.items()]
    whole = [f"; all {len(page.rows)} {_noun(name)} came" for name, page in pages.items() if not page.more]
    rows = set(counted.values())
    value = rows.pop() if len(rows) == 1 else ", ".join(told)
    return Reading(value, f"a list without a limit has {' or '.join(told)} on a page{''.join(whole)}")


def _noun(name: str) -> str:
    return name.partition("_")[0]


def long_limit(answers: Answers) -> Reading:
    status = answers.answered("long_limit").status
    if status in REFUSED:
        return Reading("refused", f"a limit of {gets.LONGEST + 1} is refused (HTTP {status})")
    rows = len(answers.rows("long_limit"))
    return Reading("accepted", f"a limit of {gets.LONGEST + 1} is accepted; {rows} rows came")


_LISTS = {
    "machines": "machines",
    "accessors_1": "accessors",
    "accessors_2": "accessors",
    "accessors_3": "accessors",
    "events": "events",
    "name_of_none": "machines that a filter found none of",
}


def next_page_on_last(answers: Answers) -> Reading:
    for name, page in answers.pages(*_LISTS):
        if not page.more:
            value = _cursor_word(page)
            return Reading(value, f"on the last page of {_LISTS[name]} nextPage is {value}")
    raise Unsettled("every list is longer than a page")


def _cursor_word(page: Page) -> str:
    if page.cursor is MISSING:
        return "absent"
    if page.cursor is None:
        return "null"
    return "empty" if page.cursor == "" else "given"


def cursors(answers: Answers) -> Reading:
    """Whether a cursor is the id of a row: the last of its page, or the first of the next."""
    for name, page in answers.pages("first_page", "machines_default", "machines", "events_default", "events"):
        if page.more and page.rows and isinstance(page.cursor, str) and page.cursor:
            return _cursor(answers, name, page, page.cursor)
    raise Unsettled("no list is longer than its page")


def _cursor(answers: Answers, name: str, page: Page, cursor: str) -> Reading:
    if cursor == text(page.rows[-1], "id"):
        return Reading("last id", "a cursor is the id of the last row of its page")
    following = dict(answers.pages("next_page")) if name == "first_page" else {}
    if any(cursor == text(row, "id") for next_page in following.values() for row in next_page.rows[:1]):
        return Reading("next id", "a cursor is the id of the first row of the next page")
    return Reading("opaque", f"a cursor is not the id of the last row of its page; its form is {forms.of([cursor])}")


def unknown_cursor(answers: Answers) -> Reading:
    first, status = answers.rows("first_page"), answers.answered("unknown_cursor").status
    if status in REFUSED:
        return Reading("refused", f"a cursor that was never given is refused (HTTP {status})")
    if not first:
        raise Unsettled("the account has no machines")
    rows = answers.rows("unknown_cursor")
    if not rows:
        return Reading("empty", "after a cursor that was never given comes an empty page")
    same = text(rows[0], "id") == text(first[0], "id")
    value = "first page" if same else "another page"
    return Reading(
        value, f"after a cursor that was never given comes the {'first page' if same else 'page of another place'}"
    )


def other_order(answers: Answers) -> Reading:
    """With the cursor of the second newest machine, the oldest first: the newest is what comes after it."""
    status = answers.answered("other_order").status
    if status in REFUSED:
        return Reading("refused", f"a cursor of the other order is refused (HTTP {status})")
    first, rows = answers.rows("first_page"), answers.rows("other_order")
    if not rows:
        return Reading("empty", "after a cursor of the other order comes an empty page")
    if first and text(rows[0], "id") == text(first[0], "id"):
        return Reading("accepted", "after a cursor of the other order comes what follows in this one")
    return Reading("another page", "after a cursor of the other order comes the page of another place")


def unknown_query(answers: Answers) -> Reading:
    return _taken(answers, "unknown_query", "a query parameter that is not in the reference")


def _taken(answers: Answers, name: str, what: str) -> Reading:
    """True where it is refused."""
    status = answers.answered(name).status
    if status in REFUSED:
        return Reading(True, f"{what} is refused (HTTP {status})")
    if status == FOUND:
        return Reading(False, f"{what} is not refused")
    raise Unsettled(f"HTTP {status} came")


def repeated_query(answers: Answers) -> Reading:
    status = answers.answered("repeated_query").status
    if status in REFUSED:
        return Reading("refused", f"a query parameter that comes twice is refused (HTTP {status})")
    rows = len(answers.rows("repeated_query"))
    value: Value = {1: "first", 2: "last"}.get(rows, "neither")
    return Reading(value, f"of two limits, 1 and 2, {value if value == 'neither' else f'the {value}'} counts")


def retention(answers: Answers) -> Reading:
    """How far back the events go; only the newest hundred machines are compared, so no more is said than seen."""
    event = answers.rows("oldest_event")
    if not event:
        raise Unsettled("the account has no events")
    days = forms.days(text(event[0], "dtCreated"), answers.now)
    if days is None:
        raise Unsettled("the date of the oldest event cannot be read")
    made = [forms.days(text(row, "dtCreated"), answers.now) for row in answers.rows("machines")]
    oldest = max((age for age in made if age is not None), default=0)
    return Reading(days, f"the oldest event is {days} days old; of the machines that came the oldest is {oldest}")

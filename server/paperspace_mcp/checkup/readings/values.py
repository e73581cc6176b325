"""Readings of what stands in machines and events. Pure."""

import re
from collections.abc import Iterable, Sequence
from math import isclose

from paperspace_mcp.checkup.readings import forms, picks
from paperspace_mcp.checkup.readings.answers import MISSING, Answers, Record, Unsettled, number, text
from paperspace_mcp.checkup.readings.question import Reading, Value
from paperspace_mcp.rules import naming, pricing

SIZES = ("ram", "storageTotal", "storageUsed")
_GIB, _LITTLE = 2**30, 0.1
DISKS = {50: 5.0, 100: 7.0, 250: 10.0}
"""USD a month by GB, as the provider's support pages gave it in September 2024."""
_UNLISTED = re.compile(r"C[2-9]")
_SHORT_ID = re.compile(r"[0-9a-z]{4,20}")


def _rows(answers: Answers) -> list[Record]:
    rows = picks.all_machines(answers)
    if not rows:
        raise Unsettled("the account has no machines")
    return rows


def _agreed(values: Iterable[Value]) -> Value:
    """What all of them are, or `mixed`."""
    found = list(dict.fromkeys(values))
    return found[0] if len(found) == 1 else "mixed"


def digits_as_strings(answers: Answers) -> Reading:
    found = [row[name] for row in _rows(answers) for name in SIZES if row.get(name) is not None]
    texts = sum(isinstance(value, str) and value.isdecimal() for value in found)
    whole = sum(isinstance(value, int) and not isinstance(value, bool) for value in found)
    told = f"of {len(found)} sizes {texts} are digits in a string, {whole} whole numbers"
    if texts + whole < len(found):
        return Reading("other", told)
    if not found:
        raise Unsettled("no machine tells a size")
    return Reading(_agreed([True] * bool(texts) + [False] * bool(whole)), told)


def long_regions(answers: Answers) -> Reading:
    known = {**dict.fromkeys(picks.LONG.values(), True), **dict.fromkeys(naming.REGIONS, False)}
    found = [known.get(text(row, "region"), "other") for row in _rows(answers)]
    counted = {"codes such as ny2": False, "long names such as East Coast (NY2)": True, "something else": "other"}
    told = ", ".join(f"{found.count(value)} {words}" for words, value in counted.items() if value in found)
    return Reading(_agreed(found), f"the regions of {len(found)} machines are {told}")


def omit_null_accelerators(answers: Answers) -> Reading:
    found = [row.get("accelerators", MISSING) for row in _rows(answers)]
    without = [value for value in found if value is MISSING or not value]
    if not without:
        raise Unsettled(f"each of the {len(found)} machines has accelerators")
    left, null = sum(value is MISSING for value in without), without.count(None)
    told = f"of {len(without)} machines without accelerators {left} lack the field, in {null} it is null"
    if left + null < len(without):
        return Reading("other", told)
    return Reading(_agreed([True] * bool(left) + [False] * bool(null)), told)


def dates(answers: Answers) -> Reading:
    rows = [row for _, page in answers.pages("machines", "events") for row in page.rows]
    found = [forms.date(value) for row in rows for name, value in row.items() if _date(name, value)]
    if not found:
        raise Unsettled("no machine and no event has a date")
    counted = ", ".join(f"{found.count(form)} {_DATES.get(form, form)}" for form in dict.fromkeys(found))
    return Reading(_agreed(found), f"of {len(found)} dates: {counted}")


def _date(name: str, value: object) -> bool:
    return name.startswith("dt") and isinstance(value, str)


_DATES = {
    "milliseconds": "with thousandths and a Z",
    "seconds": "without thousandths, with a Z",
    "offset": "with an offset such as +00:00",
}


def event_ids(answers: Answers) -> Reading:
    ids = [text(row, "id") for _, page in answers.pages("events", "events_default") for row in page.rows]
    if not ids:
        raise Unsettled("the account has no events")
    form = forms.of(ids)
    value = form if form == "uuid" else "short" if all(map(_SHORT_ID.fullmatch, ids)) else "other"
    return Reading(value, f"the ids of {len(ids)} events have the form {form}")


def id_forms(answers: Answers) -> Reading:
    """The forms of all ids that came, and whether this server puts them into paths."""
    found = {what: ids for what, ids in _ids(answers).items() if ids}
    if not found:
        raise Unsettled("no ids came")
    told = ", ".join(f"{what} {forms.of(ids)}" for what, ids in found.items())
    odd = sum(not naming.is_id(one) for ids in found.values() for one in ids)
    return Reading(told, f"{told}{f'; {odd} ids cannot stand in a path of this server' if odd else ''}")


def _ids(answers: Answers) -> dict[str, list[str]]:
    machines = [row for _, page in answers.pages("machines") for row in page.rows]
    people = [
        row["user"]
        for _, page in answers.pages(*map(picks.accessors, range(picks.LOOKED_AT)))
        for row in page.rows
        if isinstance(row.get("user"), dict)
    ]
    templates = [row for _, page in answers.pages("templates") for row in page.rows]
    return {
        "machine": _texts(machines, "id"),
        "network": _texts(machines, "networkId"),
        "user": _texts(people, "id"),
        "template": _texts(templates, "id"),
        "snapshot": _texts(machines, "restorePointSnapshotId"),
    }


def _texts(rows: Sequence[Record], name: str) -> list[str]:
    return list(dict.fromkeys(filter(None, (text(row, name) for row in rows))))


def storage_rate(answers: Answers) -> Reading:
    """The rates of disks whose price of a month was published."""
    priced = [(number(row, "storageRate"), DISKS.get(_gigabytes(row))) for row in _rows(answers)]
    shares = [rate / price for rate, price in priced if rate is not None and price]
    if not shares:
        raise Unsettled("no machine has a disk of 50, 100 or 250 GB, whose price of a month was published")
    for unit, share in (("month", 1.0), ("hour", 1 / pricing.HOURS_PER_MONTH)):
        if all(isclose(one, share, rel_tol=_LITTLE) for one in shares):
            return Reading(unit, f"the rates of {len(shares)} disks fit the published prices, as USD per {unit}")
    raise Unsettled(f"the rates of {len(shares)} disks fit the published prices neither per month nor per hour")


def _gigabytes(row: Record) -> int:
    return round((number(row, "storageTotal") or 0.0) / _GIB)


def usage_rate(answers: Answers) -> Reading:
    """The rates of machines that are on, beside the table of prices per hour."""
    running = [row for row in _rows(answers) if text(row, "state") in picks.RUNNING]
    priced = [(number(row, "usageRate"), pricing.usd_per_hour(text(row, "machineType"))) for row in running]
    pairs = [(rate, price) for rate, price in priced if rate is not None and price is not None]
    if not pairs:
        raise Unsettled("no machine is on whose type has a published price")
    same = sum(isclose(rate, price, rel_tol=_LITTLE) for rate, price in pairs)
    told = f"the rates of {same} of {len(pairs)} machines that are on fit the published prices, as USD per hour"
    if same == 0:
        raise Unsettled(told)
    return Reading("hour" if same == len(pairs) else "mixed", told)


def cpu_prices(answers: Answers) -> Reading:
    """The rates of machines that are on and have a type without a published price; only these types are named."""
    running = [row for row in _rows(answers) if text(row, "state") in picks.RUNNING]
    rates = {text(row, "machineType"): number(row, "usageRate") for row in running}
    told = [f"{kind} {rate:g}" for kind, rate in sorted(rates.items()) if _UNLISTED.fullmatch(kind) and rate]
    if not told:
        raise Unsettled("no machine of a type C2 to C9 is on")
    return Reading(", ".join(told), f"usageRate while on: {', '.join(told)}")


def free_when_off(answers: Answers) -> Reading:
    off = [number(row, "usageRate") for row in _rows(answers) if row.get("state") == "off"]
    if not off:
        raise Unsettled("no machine is off")
    free = sum(rate == 0 for rate in off)
    told = f"of {len(off)} machines that are off {free} have a usageRate of 0"
    return Reading(_agreed([True] * bool(free) + [False] * (free < len(off))), told)


def tombstones(answers: Answers) -> Reading:
    pages = dict(answers.pages(*map(picks.accessors, range(picks.LOOKED_AT))))
    rows = [row for page in pages.values() for row in page.rows]
    removed = sum(row.get("dtDeleted") is not None for row in rows)
    if removed:
        return Reading(True, f"{removed} of {len(rows)} accessors are listed with the date of their removal")
    raise Unsettled(
        f"none of {len(rows)} accessors of {len(pages)} machines has a date of removal; perhaps nobody was removed"
    )

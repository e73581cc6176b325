"""Readings of refusals and of what is not there. Pure."""

from typing import Any

from paperspace_mcp.checkup.readings import forms, picks
from paperspace_mcp.checkup.readings.answers import FOUND, NOT_FOUND, REFUSED, Answers, Record, Unsettled, text
from paperspace_mcp.checkup.readings.question import Reading
from paperspace_mcp.checkup.readings.reference import CODES
from paperspace_mcp.wire.probing import Seen

UNAUTHORIZED, TOO_MANY = 401, 429


def _body(seen: Seen) -> Record:
    return seen.body if isinstance(seen.body, dict) else {}


def _told(seen: Seen) -> str:
    """`404 NOT_FOUND`; a code that is none of the reference's is not repeated."""
    code = text(_body(seen), "code")
    return f"{seen.status} {code if code in CODES else 'with another code' if code else 'without a code'}"


def validation_errors(answers: Answers) -> Reading:
    """Where a refused query is explained."""
    for name in ("wrong_order", "long_limit"):
        seen = answers.answered(name)
        if seen.status in REFUSED and isinstance(seen.body, dict):
            return _explained(seen)
    raise Unsettled("no query was refused")


def _explained(seen: Seen) -> Reading:
    found = [name for name in ("issues", "details") if name in _body(seen)]
    told = ", ".join(f"{name}, {outline(_body(seen)[name])}" for name in found)
    return Reading(
        found[0] if found else "bare",
        f"a wrong query is refused with {_told(seen)}, explained in {told or 'its message only'}",
    )


def outline(value: Any) -> str:
    """What a value is made of, without any of it."""
    if isinstance(value, list):
        return f"a list of {len(value)}" + (f", each {outline(value[0])}" if value else "")
    if isinstance(value, dict):
        names = sorted(forms.field(name, ()) for name in value)
        return f"an object of {', '.join(names) or 'nothing'}"
    return {str: "a text", type(None): "null"}.get(type(value), "a value")


def not_found_text(answers: Answers) -> Reading:
    machine, path = answers.answered("unknown_machine"), answers.answered("unknown_path")
    if machine.status != NOT_FOUND:
        return Reading(str(machine.status), f"an unknown machine is answered with {_told(machine)}")
    same = text(_body(machine), "message") == text(_body(path), "message")
    how = "in the words of" if same else "its own text, not that of"
    told = f"an unknown machine: {_told(machine)}, {how} an unknown path ({_told(path)})"
    return Reading("same" if same else "its own", told)


def session_without_key(answers: Answers) -> Reading:
    seen = answers.answered("session_without_key")
    if seen.status == UNAUTHORIZED:
        return Reading("401", f"auth/session without a key: {_told(seen)}")
    if seen.good and seen.body is None:
        return Reading("null", "auth/session without a key: 200 with null")
    return Reading("other", f"auth/session without a key: HTTP {seen.status}")


def deleted_machines(answers: Answers) -> Reading:
    listed = [row for row in picks.all_machines(answers) if row.get("dtDeleted") is not None]
    if listed:
        return Reading("listed", f"{len(listed)} deleted machines are in the list, with the date of their deletion")
    status = answers.answered("deleted_machine").status
    if status == FOUND:
        return Reading(
            "readable", "a deleted machine can be read by its id, and is not among those that came in the list"
        )
    if status == NOT_FOUND:
        return Reading("gone", "a deleted machine is answered with 404 and is not among those that came in the list")
    raise Unsettled(f"HTTP {status} came")


def removed_accessor(answers: Answers) -> Reading:
    status = answers.answered("removed_accessor").status
    if status not in {FOUND, NOT_FOUND}:
        raise Unsettled(f"HTTP {status} came")
    value = "readable" if status == FOUND else "gone"
    return Reading(value, f"a removed accessor is {value} by the id of its user (HTTP {status})")


def headless_desktop(answers: Answers) -> Reading:
    shown = _desktop(answers, "desktop_headless")
    words = {"empty": "an object without vnc and windows", "404": "404", "filled": "vnc or windows"}
    return Reading(shown, f"the desktop of a headless machine that is on: {words[shown]}")


def desktop_when_off(answers: Answers) -> Reading:
    shown = _desktop(answers, "desktop_off")
    told = {"empty": "is not told", "404": "is not told (404)", "filled": "is told"}[shown]
    return Reading(shown == "filled", f"the desktop of a machine that has one and is off {told}")


def _desktop(answers: Answers, name: str) -> str:
    if answers.answered(name).status == NOT_FOUND:
        return "404"
    settings = answers.record(name)
    return "filled" if settings.get("vnc") or settings.get("windows") else "empty"


def retry_after(answers: Answers) -> Reading:
    """Told by a 429 only; none is provoked."""
    for seen in answers.all.values():
        if seen.status == TOO_MANY:
            value = seen.headers.get("retry-after")
            form = "absent" if value is None else "seconds" if value.isdecimal() else "date"
            return Reading(form, f"a 429 came; its retry-after is {form}")
    raise Unsettled("no request was limited")

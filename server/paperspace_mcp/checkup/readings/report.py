"""What was found, for a person and for programs. Nothing of the account is in it, so that it can go with a bug."""

import platform
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from paperspace_mcp import __version__
from paperspace_mcp.checkup.readings import forms
from paperspace_mcp.checkup.readings.asking import Asked
from paperspace_mcp.checkup.readings.drift import Drift, drifts
from paperspace_mcp.checkup.readings.gets import GETS
from paperspace_mcp.checkup.readings.question import Reading, Result, settle
from paperspace_mcp.checkup.readings.questions import CHANGES, QUESTIONS
from paperspace_mcp.checkup.readings.reference import SHAPES
from paperspace_mcp.checkup.rows import Level, Row, failed, table

REDACTED = (
    "No key, password, name, id, e-mail or address is in this report: only forms, counts and the API's own words."
)
_MS = 1000
_MOST = 12
"""Fields or values of a shape that are told one by one."""


@dataclass(frozen=True, slots=True)
class Report:
    """where: whose API was asked, never its address."""

    where: str
    asked: Asked
    results: list[Result]
    drifts: list[Drift]

    @property
    def failed(self) -> bool:
        return failed(self.asked.stopped)


def report(asked: Asked, where: str) -> Report:
    """Read the answers. `where`: `the provider's own`, `another` or `the simulated`."""
    return Report(where, asked, settle(QUESTIONS, asked.answers, asked.why), drifts(asked.answers))


# -- for a person ------------------------------------------------------------------------------------------------------


def as_text(found: Report) -> str:
    rows = [*found.asked.stopped, *_settled(found), *_open(found), *_changes(), *_drift_rows(found)]
    return f"{_head(found)}\n\n{table(rows)}\n{_ending(found)}\n"


def _head(found: Report) -> str:
    timing, system = _timing(found), f"Python {platform.python_version()} on {sys.platform}"
    slow = f"; median {timing['median_ms']} ms, slowest {timing['slowest_ms']} ms" if timing["gets"] else ""
    sent = f"{timing['gets']} GETs (at most {len(GETS)}) in {found.asked.elapsed_s:.1f} s{slow}. Nothing else was sent."
    told = ", ".join(f"{status}: {count}" for status, count in _statuses(found).items()) or "none"
    headers = ", ".join(_headers(found)) or "none"
    about = f"paperspace-mcp {__version__} doctor --contract, {system}. Asked: {found.where} API."
    return "\n".join([about, sent, f"Answers: {told}. Headers: {headers}.", REDACTED])


def _settled(found: Report) -> Iterator[Row]:
    for result in found.results:
        if result.reading is not None:
            do = f"This server: {result.question.server}" if result.question.server else ""
            yield Row("settled", result.question.name, Level.OK, _said(result.reading), do)


def _said(reading: Reading) -> str:
    """The reading in words; the value before it where they do not tell it."""
    if isinstance(reading.value, bool):
        return f"{'yes' if reading.value else 'no'}: {reading.told}"
    return reading.told if str(reading.value) in reading.told else f"{reading.value}: {reading.told}"


def _open(found: Report) -> Iterator[Row]:
    for result in found.results:
        if result.reading is None:
            yield Row(
                "not settled", result.question.name, Level.NOTE, f"{result.question.asks} Not settled: {result.why}."
            )


def _changes() -> Iterator[Row]:
    for change in CHANGES:
        yield Row("needs a change, not asked", change.name, Level.NOTE, change.asks)


def _drift_rows(found: Report) -> Iterator[Row]:
    for drift in found.drifts:
        level = Level.WARN if drift.any else Level.OK if drift.looked_at else Level.NOTE
        told = "; ".join(_drifted(drift)) or ("as in the reference" if drift.looked_at else "none came")
        yield Row("beside the reference", drift.shape, level, f"{drift.looked_at} looked at: {told}")


def _drifted(drift: Drift) -> Iterator[str]:
    if drift.missing:
        yield f"missing {_counted(drift.missing, drift)}"
    if drift.beyond:
        yield f"not in the reference {_counted(drift.beyond, drift)}"
    for (name, kind), count in drift.types.most_common(_MOST):
        yield f"{name} is {kind} in {count}, documented as {' or '.join(SHAPES[drift.shape][name].kinds)}"
    for (name, value), count in drift.values.most_common(_MOST):
        yield f"{name} has a value that is not listed in {count}: {value}"


def _counted(counter: Counter[str], drift: Drift) -> str:
    told = [f"{name} ({count} of {drift.looked_at})" for name, count in counter.most_common(_MOST)]
    return ", ".join(told) + (f" and {len(counter) - _MOST} more" if len(counter) > _MOST else "")


def _ending(found: Report) -> str:
    settled = sum(result.reading is not None for result in found.results)
    drifted = sum(drift.any for drift in found.drifts)
    asked = f"{settled} settled, {len(found.results) - settled} not settled, {len(CHANGES)} need a change"
    return f"{asked}; {drifted} of {len(found.drifts)} shapes differ from the reference."


# -- for programs ------------------------------------------------------------------------------------------------------


def as_json(found: Report) -> dict[str, Any]:
    return {
        "ok": not found.failed,
        "version": __version__,
        "python": platform.python_version(),
        "platform": sys.platform,
        "asked": found.where,
        "redacted": REDACTED,
        "gets": {**_timing(found), "at_most": len(GETS)},
        "statuses": _statuses(found),
        "headers": _headers(found),
        "stopped": [row.as_json() for row in found.asked.stopped],
        "questions": [_question(result) for result in found.results],
        "needs_a_change": [{"name": change.name, "asks": change.asks} for change in CHANGES],
        "shapes": [_shape(drift) for drift in found.drifts],
    }


def _question(result: Result) -> dict[str, Any]:
    question, reading = result.question, result.reading
    told = {"reading": reading.value, "told": reading.told} if reading else {"why": result.why}
    asked = {"name": question.name, "asks": question.asks, "gets": list(question.gets), "settled": reading is not None}
    return {**asked, **told, "server": question.server or None}


def _shape(drift: Drift) -> dict[str, Any]:
    types = [{"field": name, "type": kind, "count": count} for (name, kind), count in drift.types.most_common()]
    values = [{"field": name, "value": value, "count": count} for (name, value), count in drift.values.most_common()]
    counts = {"missing": dict(drift.missing), "beyond": dict(drift.beyond)}
    return {"shape": drift.shape, "looked_at": drift.looked_at, **counts, "types": types, "values": values}


def _timing(found: Report) -> dict[str, int]:
    took = [round(seen.elapsed_s * _MS) for seen in found.asked.answers.asked]
    return {
        "gets": found.asked.answers.sent,
        "elapsed_ms": round(found.asked.elapsed_s * _MS),
        "median_ms": round(median(took)) if took else 0,
        "slowest_ms": max(took, default=0),
    }


def _statuses(found: Report) -> dict[str, int]:
    counted = Counter(str(seen.status) if not seen.trouble else seen.trouble for seen in found.asked.answers.asked)
    return dict(sorted(counted.items()))


def _headers(found: Report) -> list[str]:
    """The names of the answers' headers; never a value."""
    return sorted({name for seen in found.asked.answers.all.values() for name in seen.headers if forms.header(name)})

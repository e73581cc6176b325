"""The door of every guarded tool: find or write the record, ask from the record, walk through once.

Both protocol eras go through the SDK's resolvers. A resolver body runs again in every round, so it reads and records
and never acts; what acts is `walk`, after the record is spent.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import (
    AcceptedElicitation,
    CancelledElicitation,
    DeclinedElicitation,
    Elicit,
)
from pydantic import BaseModel, ConfigDict, Field

from paperspace_mcp.conduct import Outcome, Pauses, load_outcomes
from paperspace_mcp.contract.errors import CallerError, Refusal
from paperspace_mcp.rules.guard import plans
from paperspace_mcp.rules.guard.demands import TYPED_CAP
from paperspace_mcp.rules.guard.records import FRESH, Channel, Record, Status
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import SHOWING_ONLY, Arguments, Tool

MODERN = "2026-07-28"
HOLD_POLL_S = 1.0
OVERTAKEN_S, OVERTAKEN_POLL_S = 10.0, 0.1
"""How long a call that was made twice at once waits for the outcome of the other, and how often it looks."""
REPORT_EVERY_S = 5


class Typed(BaseModel):
    """The one thing a person gives: what they typed. Never a boolean, never a default, never empty."""

    model_config = ConfigDict(extra="forbid", strict=True)

    typed: str = Field(title="Type to confirm", description="Exactly what the message asks for.", max_length=TYPED_CAP)


class NotAsked(BaseModel):
    """The client was not asked. A value of its own: the SDK takes any plain value for an accepted answer."""


NOT_ASKED: Final = NotAsked()

Spoken = AcceptedElicitation[Any] | DeclinedElicitation | CancelledElicitation


@dataclass(frozen=True, slots=True)
class Met:
    """What a call found at the door: an answer that needs nobody, or a record and how it stands."""

    desk: Desk
    tool: Tool
    arguments: Arguments
    kind: str
    record: Record | None = None
    answer: Answer | None = None
    begun: float = 0.0
    """When it went through the door, after the person's answer; a moment of the event loop."""

    @property
    def wait_s(self) -> float:
        """How long this call may still wait: a person who decided out of band, and steps, took their part."""
        return max(0.0, self.desk.max_wait_s - (anyio.current_time() - self.begun))


def can_ask(ctx: Context[Any, Any]) -> bool:
    """Whether this client declared that it can show a form, on a connection that can carry the question.

    A bare `elicitation: {}` is the older way to say form. Handshake-era requests without a session carry none.
    """
    declared = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    form = declared is not None and (declared.form is not None or declared.url is None)
    return form and (ctx.protocol_version == MODERN or ctx.session.can_send_request)


def canonical(arguments: Arguments) -> dict[str, Any]:
    """The arguments that are approved: what only changes the showing, and what was not given, is left out."""
    return {name: value for name, value in arguments.items() if name not in SHOWING_ONLY and value is not None}


async def meet(desk: Desk, tool: Tool, arguments: Arguments, *, asks: bool) -> Met:
    """Find the record of this call, or plan and write it. Raises a `Failure`."""
    desk.permit(tool.name, tool.touches)
    if not tool.guards(arguments):
        return await _planned(desk, tool, arguments)
    digest = plans.digest(tool.name, canonical(arguments))
    channel = Channel.CLIENT if asks else Channel.INBOX
    meeting = await desk.conduct.find(desk.caller, digest, channel)
    if meeting.kind == "repeat" and meeting.record and await _another_wish(desk, tool, arguments, meeting.record):
        await desk.conduct.forget(meeting.record)
        meeting = FRESH
    if meeting.record is None:
        planned = await tool.function(desk, **arguments)
        if isinstance(planned, Answer):
            return Met(desk, tool, arguments, "answer", answer=planned)
        meeting = await desk.conduct.ask(desk.caller, planned, digest, channel)
    return Met(desk, tool, arguments, meeting.kind, meeting.record)


async def _another_wish(desk: Desk, tool: Tool, arguments: Arguments, record: Record) -> bool:
    """Whether a call in the same words means something else by now: it was undone, or the name went to another."""
    if tool.undone is not None and await tool.undone(desk, load_outcomes(record.outcome), arguments):
        return True
    reference, ids = arguments.get("machine"), {target.id for target in plans.load(record.plan).targets}
    if not reference or reference in ids or not ids:
        return False
    with suppress(CallerError):  # nobody has that name any more: deleted, or renamed by the call itself
        return (await desk.machine(reference)).id not in ids
    return False


async def _planned(desk: Desk, tool: Tool, arguments: Arguments) -> Met:
    planned = await tool.function(desk, **arguments)
    if not isinstance(planned, Answer):
        raise TypeError(f"{tool.name} planned what it said needs nobody")
    return Met(desk, tool, arguments, "answer", answer=planned)


def question(met: Met) -> Elicit[Typed] | NotAsked:
    """The question of the record, in its own words; NOT_ASKED where the client is not to be asked."""
    record = met.record
    if met.kind == "open" and record is not None and record.channel is Channel.CLIENT:
        return Elicit(record.question, Typed)
    return NOT_ASKED


async def walk(met: Met, spoken: Spoken) -> Answer:
    """Through the door, or back with the reason. Raises a `Failure`."""
    met = replace(met, begun=anyio.current_time())
    try:
        return await _through(met, spoken)
    except Refusal as refusal:
        if met.record is None or refusal.code not in {"already_spent", "unfinished"}:
            raise
        found = await _overtaken(met, met.record)
        if found is None:
            raise
        return await _again(found, found.record or met.record)


async def _overtaken(met: Met, record: Record) -> Met | None:
    """The same call was made twice at once, and the other one was first: what it came to, once it has ended."""
    with anyio.move_on_after(OVERTAKEN_S):
        while True:
            meeting = await met.desk.conduct.find(met.desk.caller, record.digest, record.channel)
            if meeting.record is None or meeting.record.code != record.code or meeting.kind == "repeat":
                break
            await anyio.sleep(OVERTAKEN_POLL_S)
        same = meeting.record is not None and meeting.record.code == record.code
        return replace(met, kind="repeat", record=meeting.record) if same else None
    return None


async def _through(met: Met, spoken: Spoken) -> Answer:
    if met.answer is not None or met.record is None:
        return met.answer or Answer("Nothing to do.")
    if met.kind == "open":
        return await _answered(met, met.record, spoken)
    if met.kind == "approved":
        return await _done(met, met.record)
    if met.kind == "denied":
        raise Refusal("declined", facts={"approval": met.record.code})
    return await _again(met, met.record)


async def _answered(met: Met, record: Record, spoken: Spoken) -> Answer:
    conduct, caller = met.desk.conduct, met.desk.caller
    if not isinstance(spoken, AcceptedElicitation):
        await conduct.close(record, Status.DECLINED, caller.principal)
        raise Refusal("declined", facts={"approval": record.code})
    if not isinstance(spoken.data, Typed):
        return await _held(met, record)
    await conduct.accept(record, spoken.data.typed, caller.client)
    return await _done(met, record)


async def _held(met: Met, record: Record) -> Answer:
    """Hold the call while a person may decide out of band; afterwards say that one must."""
    decided = await _decision(met, record)
    return _required(record) if decided is None else await _decided(met, decided)


async def _decision(met: Met, record: Record) -> Record | None:
    """The record as a person decided it while the call is held; None where nobody did."""
    with anyio.move_on_after(met.desk.hold_s):
        for waited in range(int(met.desk.hold_s // HOLD_POLL_S) + 1):
            now = await met.desk.conduct.record(record.code)
            if now is not None and now.status is not Status.OPEN:
                return now
            if not met.desk.conduct.waits(record):
                raise Refusal("expired", facts={"approval": record.code})
            if waited % REPORT_EVERY_S == 0:
                message = f"A person must approve {record.code}."
                await met.desk.report(float(waited), met.desk.hold_s, message)
            await anyio.sleep(HOLD_POLL_S)
    return None


async def _decided(met: Met, record: Record) -> Answer:
    if record.status is Status.APPROVED:
        return await _done(met, record)
    code = "already_spent" if record.status is Status.SPENT else "declined"
    raise Refusal(code, facts={"approval": record.code})


async def _done(met: Met, record: Record) -> Answer:
    outcomes = await met.desk.conduct.carry_out(record, _pauses(met))
    return await _report(met, record, outcomes, "done")


async def _again(met: Met, record: Record) -> Answer:
    """The call is a repeat of one whose record is spent: tell its outcome, or go on with what is left."""
    outcomes = load_outcomes(record.outcome)
    if met.kind == "repeat":
        if any(one.status == "unknown" for one in outcomes):
            outcomes = await met.desk.conduct.look_again(record)
        return await _report(met, record, outcomes, "already_done")
    return await _report(met, record, await met.desk.conduct.go_on(record, _pauses(met)), "done")


def _pauses(met: Met) -> Pauses:
    return Pauses(met.wait_s, met.desk.report)


async def _report(met: Met, record: Record, outcomes: Sequence[Outcome], status: str) -> Answer:
    if met.tool.report is None:
        raise TypeError(met.tool.name)
    desk = replace(met.desk, max_wait_s=met.wait_s)
    answer = await met.tool.report(desk, plans.load(record.plan), outcomes, met.arguments)
    if not answer.is_error:
        if status == "already_done":
            answer.summary = f"Already done a moment ago, not repeated. {answer.summary}"
        answer.data = {"status": status, "approval": record.code, **answer.data}
    return answer


def _required(record: Record) -> Answer:
    """A normal answer: the question waits for a person. It never says how to approve; that is not for a model."""
    return Answer(
        f"A person must approve {record.code} before this is done. Nothing was done yet.",
        {
            "status": "approval_required",
            "approval": record.code,
            "executed": False,
            "question": record.question,
        },
        next=f"A person must approve {record.code}; wait_for_event takes that code. Then repeat the same call.",
    )

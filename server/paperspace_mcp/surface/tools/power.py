"""Start, stop, restart: idempotent, and told when the machine is really there."""

from collections.abc import Sequence
from dataclasses import dataclass

from paperspace_mcp.conduct import Outcome, fingerprinted
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError, Failure
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.requests import EventsQuery
from paperspace_mcp.contract.shapes import Event, Machine, MachineAndEvent
from paperspace_mcp.rules import power, pricing
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.plans import Plan, Step
from paperspace_mcp.rules.selecting import UNCHANGED
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments, Tool
from paperspace_mcp.surface.tools import params
from paperspace_mcp.surface.tools.reporting import MachineDone, failed, machine_done, unchanged
from paperspace_mcp.surface.tools.watching import watched_view


@dataclass(frozen=True, slots=True)
class Act:
    """One power operation. `idle`: states in which it changes nothing; `busy`: states that refuse it."""

    operation: Operation[MachineAndEvent]
    verb: str
    idle: frozenset[str]
    busy: frozenset[str]
    warning: str

    def stands(self, machine: Machine) -> str:
        """What doing it to this machine comes to: "" it is to be done, UNCHANGED, or why it cannot be done."""
        if machine.dt_deleted is not None:
            return "deleted"
        if machine.state in self.idle:
            return UNCHANGED
        if self.verb == "restart" and machine.state == "off":
            return "off"
        return "busy" if machine.state in self.busy else ""


START = Act(
    catalogue.START_MACHINE,
    "start",
    frozenset({"ready", "serviceready", "starting", "restarting"}),
    frozenset({"stopping", "upgrading", "provisioning"}),
    "START this machine: it costs {price} while it runs.",
)
STOP = Act(
    catalogue.STOP_MACHINE,
    "stop",
    frozenset({"off", "stopping"}),
    frozenset({"upgrading", "provisioning"}),
    "STOP this machine: whatever runs on it ends.",
)
RESTART = Act(
    catalogue.RESTART_MACHINE,
    "restart",
    frozenset(),
    frozenset({"starting", "stopping", "restarting", "upgrading", "provisioning"}),
    "RESTART this machine: whatever runs on it ends.",
)


ACTS = {act.verb: act for act in (START, STOP, RESTART)}


async def start_machine(desk: Desk, machine: params.MachineRef, wait_seconds: params.WaitSeconds = 0) -> Plan | Answer:
    """Start a machine; it costs money while it runs, so a person confirms. No change if it runs. Returns an event."""
    return await _plan(desk, machine, START)


async def stop_machine(desk: Desk, machine: params.MachineRef, wait_seconds: params.WaitSeconds = 0) -> Plan | Answer:
    """Stop a machine; what runs on it ends, so a person confirms. Does nothing if it is off. The disk stays billed."""
    return await _plan(desk, machine, STOP)


async def restart_machine(
    desk: Desk, machine: params.MachineRef, wait_seconds: params.WaitSeconds = 0
) -> Plan | Answer:
    """Restart a running machine; what runs on it ends, so a person confirms. Returns an event."""
    return await _plan(desk, machine, RESTART)


async def _plan(desk: Desk, reference: str, act: Act) -> Plan | Answer:
    machine = await desk.machine(reference)
    stands = act.stands(machine)
    if stands == UNCHANGED:
        return await _idle(desk, machine, act)
    if stands:
        raise CallerError(f"machine_{stands}", facts={"state": views.text(machine.state, 40)})
    target = await desk.target(machine, fingerprinted(act.operation.effect), act.operation.effect)
    step = Step(act.operation.name, {"path": {"id": machine.id}}, act.operation.effect, target)
    usd = pricing.rate(machine, desk.prices)
    line = act.warning.format(price=pricing.words(usd))
    updates = ("Updates are pending: it may take longer than usual.",) if machine.updates_pending else ()
    return Plan(
        act.operation.name,
        {"machine": machine.id},
        act.verb,
        (step,),
        (line, *updates),
        usd_per_hour=usd,
        adds_usd_per_hour=usd,
    )


async def _idle(desk: Desk, machine: Machine, act: Act) -> Answer:
    """It is so already: the running event, so that it can be waited for."""
    event = await newest(desk, machine.id, act.verb)
    state = views.text(machine.state, 40)
    return unchanged(
        desk,
        machine,
        f"{quoted(machine.name)} ({views.text(machine.id)}) is {state} already; nothing was changed.",
        event,
    )


async def newest(desk: Desk, machine_id: str, name: str) -> Event | None:
    """The machine's newest unfinished event of a name; None where there is none or it cannot be read."""
    query = EventsQuery(machine_id=machine_id, order="desc", limit=10)
    try:
        page = await desk.conduct.read(catalogue.LIST_MACHINE_EVENTS, {}, query)
    except Failure:
        return None
    return next((one for one in page.items if one.name == name and one.state in {"new", "in progress"}), None)


async def undone(desk: Desk, outcomes: Sequence[Outcome], _arguments: Arguments) -> bool:
    """Whether the machine went the other way after our event had ended: by the console, or by its own timer."""
    began = MachineAndEvent.model_validate(outcomes[-1].answer).event if outcomes[-1].status == "done" else None
    if began is None:
        return False
    machine = await desk.conduct.read(catalogue.GET_MACHINE, {"id": outcomes[-1].target_id})
    wanted = "on" if outcomes[-1].operation == catalogue.START_MACHINE.name else "off"
    if power.group(machine.state) in {wanted, "provisioning", "upgrading"}:
        return False
    event = await desk.conduct.read(catalogue.GET_MACHINE_EVENT, {"id": began.id})
    return event.state in {"done", "error", "cancelled"}


async def report(desk: Desk, plan: Plan, outcomes: Sequence[Outcome], arguments: Arguments) -> Answer:
    """The event, and the machine's state where the call was to wait for it.

    The API answers 400 where somebody else was first; read back, that is no change rather than an error.
    """
    if (broken := failed(outcomes)) and (same := await _raced(desk, plan, outcomes[-1])):
        return same
    if broken:
        return broken
    answer = machine_done(outcomes[-1], f"{plan.verb.capitalize()} accepted for", desk)
    event = MachineAndEvent.model_validate(outcomes[-1].answer).event
    if event is not None and arguments["wait_seconds"]:
        await _wait(desk, answer, event.id, arguments["wait_seconds"])
    return answer


async def _raced(desk: Desk, plan: Plan, outcome: Outcome) -> Answer | None:
    act = ACTS[plan.verb]
    if outcome.code != "bad_request" or not act.idle:
        return None
    machine = await desk.machine(outcome.target_id)
    return await _idle(desk, machine, act) if machine.state in act.idle else None


async def _wait(desk: Desk, answer: Answer, event_id: str, seconds: int) -> None:
    """Wait a slice for the event and write into the answer how it stands."""
    watched = (await desk.watch.wait([event_id], timeout_s=min(seconds, desk.max_wait_s)))[0]
    view = watched_view(watched)
    machine = {"machine": views.machine_row(watched.machine, desk.prices)} if watched.machine else {}
    answer.data = {**answer.data, "waited": view, **machine}
    answer.summary += f" After the wait: {view.verdict}" + (
        f", machine {view.machine_state}" if view.machine_state else ""
    )
    answer.summary += f", public IP {view.public_ip}." if view.public_ip else "."
    if view.verdict == "failed":
        answer.summary += f" Error: {quoted(view.error or 'none given', 512)}."


POWER: tuple[Tool, ...] = (
    Tool(start_machine, "Start a machine", MachineDone, catalogue.START_MACHINE, report, Effect.SPEND, undone=undone),
    Tool(stop_machine, "Stop a machine", MachineDone, catalogue.STOP_MACHINE, report, Effect.DISRUPT, undone=undone),
    Tool(
        restart_machine,
        "Restart a machine",
        MachineDone,
        catalogue.RESTART_MACHINE,
        report,
        Effect.DISRUPT,
        idempotent=False,
    ),
)

"""Start, stop, restart: idempotent, and told when the machine is really there."""

from collections.abc import Sequence
from dataclasses import dataclass

from paperspace_mcp.conduct import Outcome, fingerprinted
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.shapes import Event, Machine, MachineAndEvent
from paperspace_mcp.rules import power, pricing, waiting
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.plans import Plan, Step
from paperspace_mcp.rules.selecting import UNCHANGED
from paperspace_mcp.surface import views, wording
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments, Tool
from paperspace_mcp.surface.tools import moving, params
from paperspace_mcp.surface.tools.following import followed
from paperspace_mcp.surface.tools.reporting import MachineDone, failed, follow, machine_done, told_event, unchanged

SKEW_S = 30.0
"""How far the provider's clock may be behind ours."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an act would come to. why: "" it is to be done, UNCHANGED, or why it cannot be; event: what is under way."""

    why: str
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One power operation.

    idle: states in which it changes nothing; busy: states that refuse it; same: the events that come to the same.
    """

    operation: Operation[MachineAndEvent]
    verb: str
    idle: frozenset[str]
    busy: frozenset[str]
    same: frozenset[str]
    leads: str

    def standing(
        self, machine: Machine, events: Sequence[Event], now: float, within_s: float = power.BEGUN_LAG_S
    ) -> Standing:
        """What doing it to this machine comes to. events: the machine's newest, newest first; what runs comes first."""
        if machine.dt_deleted is not None:
            return Standing("deleted")
        live = power.moving(machine.state, events, now, within_s)
        if live is not None:
            return Standing(UNCHANGED if live.name in self.same else "busy", live)
        if machine.state in self.idle:
            return Standing(UNCHANGED, self._unfinished(events))
        if self.verb == "restart" and machine.state == "off":
            return Standing("off")
        return Standing("busy", power.behind(events)) if machine.state in self.busy else Standing("")

    def _unfinished(self, events: Sequence[Event]) -> Event | None:
        return next((one for one in events if one.name in self.same and one.state not in power.ENDED), None)


START = Act(
    catalogue.START_MACHINE,
    "start",
    frozenset({"ready", "serviceready", "starting", "restarting"}),
    frozenset({"stopping", "upgrading", "provisioning"}),
    frozenset({"start", "restart"}),
    "on",
)
STOP = Act(
    catalogue.STOP_MACHINE,
    "stop",
    frozenset({"off", "stopping"}),
    frozenset({"upgrading", "provisioning"}),
    frozenset({"stop", "vm-shutdown-force"}),
    "off",
)
RESTART = Act(
    catalogue.RESTART_MACHINE,
    "restart",
    frozenset(),
    frozenset({"starting", "stopping", "restarting", "upgrading", "provisioning"}),
    frozenset(),
    "on",
)


ACTS = {act.verb: act for act in (START, STOP, RESTART)}


async def start_machine(desk: Desk, machine: params.MachineRef, wait_seconds: params.WaitSeconds = 0) -> Plan | Answer:
    """Start a machine; it costs money while it runs. A person confirms where it is not cheap. No change if it runs.
    Returns an event."""
    return await _plan(desk, machine, START, wait_seconds)


async def stop_machine(desk: Desk, machine: params.MachineRef, wait_seconds: params.WaitSeconds = 0) -> Plan | Answer:
    """Stop a machine; what runs on it ends, so a person confirms. Does nothing if it is off. The disk stays billed."""
    return await _plan(desk, machine, STOP, wait_seconds)


async def restart_machine(
    desk: Desk, machine: params.MachineRef, wait_seconds: params.WaitSeconds = 0
) -> Plan | Answer:
    """Restart a running machine; what runs on it ends, so a person confirms. Returns an event."""
    return await _plan(desk, machine, RESTART, wait_seconds)


async def _plan(desk: Desk, reference: str, act: Act, wait_seconds: int) -> Plan | Answer:
    machine = await desk.machine(reference)
    standing = act.standing(machine, await moving.newest(desk, machine.id), desk.conduct.rooms.now())
    if standing.why == UNCHANGED:
        return await followed(desk, act.verb, _same(desk, machine, standing), standing.event, wait_seconds)
    if standing.why:
        raise _refusal(machine, standing)
    target = await desk.target(machine, fingerprinted(act.operation.effect), act.operation.effect)
    step = Step(act.operation.name, {"path": {"id": machine.id}}, act.operation.effect, target)
    usd = pricing.rate(machine, desk.prices)
    updates = ("Updates are pending: it may take longer than usual.",) if machine.updates_pending else ()
    return Plan(
        act.operation.name,
        {"machine": machine.id},
        act.verb,
        (step,),
        (*_lines(act, machine, usd), *updates),
        usd_per_hour=usd,
        adds_usd_per_hour=usd,
        facts={"price_source": pricing.source_of(machine, desk.prices)},
    )


def _lines(act: Act, machine: Machine, usd: float | None) -> tuple[str, ...]:
    """What is to be done, the dangerous part first, and the money."""
    if act is START:
        priced = f"it {costs(usd)}" if usd is not None else "what it costs while it runs is not known"
        return (f"START this machine: {priced}.", *_unreachable(machine))
    ends = f"{act.verb.upper()} this machine: whatever runs on it ends."
    return (ends, saves(usd, reserved=pricing.reserved(machine))) if act is STOP else (ends,)


def costs(usd: float) -> str:
    return f"costs {pricing.words(usd)} while it runs"


def saves(usd: float | None, *, reserved: bool = False) -> str:
    """What a machine that is stopped costs no more."""
    if reserved:
        return "It is reserved, so what stopping it saves is not known; the disk stays billed."
    if usd is None:
        return "What it saves is not known; the disk stays billed."
    return f"Saves {pricing.words(usd)} while off; the disk stays billed."


def _unreachable(machine: Machine) -> tuple[str, ...]:
    if machine.public_ip_type != "none":
        return ()
    return ("It has no public address, and ssh needs one (public_ip_type of update_machine).",)


def _refusal(machine: Machine, standing: Standing) -> CallerError:
    """Why an act cannot be done to a machine as it stands."""
    if standing.why == "busy":
        return moving.busy(machine, standing.event)
    return CallerError(f"machine_{standing.why}", facts={"state": views.text(machine.state, 40)})


_BEING = {"start": "started", "restart": "restarted"}


def _same(desk: Desk, machine: Machine, standing: Standing) -> Answer:
    """It is so already, or on its way: with the running event, so that it can be waited for."""
    event, state = standing.event, views.text(machine.state, 40)
    shown = event is None or power.group(machine.state) == power.LEADS[event.name]
    being = (
        "" if event is None else f"is being {_BEING.get(event.name, 'stopped')} already (its state is still {state})"
    )
    so = f"is {state} already" if shown else being
    return unchanged(
        desk, machine, f"{quoted(machine.name)} ({views.text(machine.id)}) {so}; nothing was changed.", event
    )


async def undone(desk: Desk, outcomes: Sequence[Outcome], _arguments: Arguments) -> bool:
    """Whether the machine went, or is going, the other way after our event: by a person, or by its own timer."""
    began = MachineAndEvent.model_validate(outcomes[-1].answer).event if outcomes[-1].status == "done" else None
    if began is None:
        return False
    machine = await desk.conduct.read(catalogue.GET_MACHINE, {"id": outcomes[-1].target_id})
    events, wanted = await moving.newest(desk, machine.id), _leads(outcomes[-1])
    live = power.moving(machine.state, events, desk.conduct.rooms.now())
    if live is not None and live.id != began.id and power.LEADS[live.name] != wanted:
        return True
    if power.group(machine.state) in {wanted, "provisioning", "upgrading"}:
        return False
    return await _ended(desk, began, events)


def _leads(outcome: Outcome) -> str:
    return next(act.leads for act in ACTS.values() if act.operation.name == outcome.operation)


async def _ended(desk: Desk, began: Event, events: Sequence[Event]) -> bool:
    """Whether our event is over: while it runs, the state may only be behind."""
    known = next((event for event in events if event.id == began.id), None)
    event = known or await desk.conduct.read(catalogue.GET_MACHINE_EVENT, {"id": began.id})
    return event.state in power.ENDED


async def report(desk: Desk, plan: Plan, outcomes: Sequence[Outcome], arguments: Arguments) -> Answer:
    """The event, and the machine's state where the call was to wait for it.

    The API refuses where somebody else was first; read back, that is no change, or an event that can be waited for.
    """
    act, outcome, wait_seconds = ACTS[plan.verb], outcomes[-1], arguments["wait_seconds"]
    if broken := failed(outcomes):
        return await _overtaken(desk, act, outcome, wait_seconds) or broken
    answer = machine_done(outcome, f"{plan.verb.capitalize()} accepted for", desk, plan.targets[0])
    began = MachineAndEvent.model_validate(outcome.answer)
    event = began.event or await _begun(desk, act, outcome)
    answer.data = {**answer.data, **told_event(event), **_money(act, began.data, plan.usd_per_hour)}
    answer.next = follow(event) or f"The provider named no event to wait for; get_machine shows when it is {act.leads}."
    answer.summary = " ".join((answer.summary, *_beside(act, began.data, plan.usd_per_hour)))
    return await followed(desk, act.verb, answer, event, wait_seconds)


def _money(act: Act, machine: Machine, usd: float | None) -> dict[str, float | None]:
    """What a start costs or a stop saves; nothing for a restart, nor where a stop's saving is not known."""
    silent = act is RESTART or (act is STOP and pricing.reserved(machine))
    return {} if silent else {"usd_per_hour": usd, "usd_per_month": pricing.per_month(usd)}


def _beside(act: Act, machine: Machine, usd: float | None) -> tuple[str, ...]:
    if act is STOP:
        return (saves(usd, reserved=pricing.reserved(machine)),)
    if act is RESTART:
        return ()
    priced = f"It {costs(usd)}." if usd is not None else "What it costs while it runs is not known."
    return (priced, *_unreachable(machine))


async def _begun(desk: Desk, act: Act, outcome: Outcome) -> Event | None:
    """The event of an act whose answer names none: other providers of this contract may leave it out."""
    since = outcome.at - SKEW_S
    mine = [one for one in await moving.newest(desk, outcome.target_id) if one.name in act.same | {act.verb}]
    return next((one for one in mine if (waiting.seconds_of(one.dt_created) or 0.0) >= since), None)


async def _overtaken(desk: Desk, act: Act, outcome: Outcome, wait_seconds: int) -> Answer | None:
    """What a refusal of the provider's comes to, where the machine and its events tell; None where they do not."""
    machine = await moving.read(desk, outcome.target_id) if moving.in_the_way(outcome) else None
    if machine is None:
        return None
    events, now = await moving.newest(desk, machine.id), desk.conduct.rooms.now()
    standing = act.standing(machine, events, now, waiting.OVERDUE_S)
    if standing.why == UNCHANGED:
        return await followed(desk, act.verb, _same(desk, machine, standing), standing.event, wait_seconds)
    row = views.machine_row(machine, desk.prices)
    return wording.answer(_refusal(machine, standing), executed=False, machine=row) if standing.why else None


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
        undone=undone,
    ),
)

"""Update a machine: only what changes is sent, the highest class among it decides, and what took is read back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from paperspace_mcp.conduct import Outcome, fingerprinted
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.contract.requests import MachineUpdate
from paperspace_mcp.contract.shapes import Machine, MachineAndEvent
from paperspace_mcp.rules import classing, console, power, pricing
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.plans import Plan, Step, Target
from paperspace_mcp.rules.guard.protection import matching, unprotects
from paperspace_mcp.rules.waiting import OVERDUE_S, Verdict
from paperspace_mcp.surface import views, wording
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments, Tool
from paperspace_mcp.surface.tools import fields, moving, params
from paperspace_mcp.surface.tools.capacity import available, changed_to, doubt
from paperspace_mcp.surface.tools.following import failed_event
from paperspace_mcp.surface.tools.reporting import MachineDone, failed, machine_done, unchanged
from paperspace_mcp.surface.tools.watching import FAILED
from paperspace_mcp.watch import Watched

NEEDS_OFF = frozenset({"machineType", "diskSize"})
STOP_WAIT_S = 40.0
"""How long the steps of one call wait for each other, all together; clients give up at 60 s."""
WhenRunning = Literal["refuse", "stop", "stop_and_start"]


async def update_machine(
    desk: Desk,
    machine: params.MachineRef,
    name: Annotated[fields.OptName, Field(description="A new name.")] = None,
    machine_type: Annotated[fields.OptType, Field(description="Of its group; needs it off.")] = None,
    disk_size_gb: Annotated[fields.OptSize, Field(description="Only grows; needs it off.")] = None,
    auto_shutdown_enabled: fields.Shutdown = None,
    auto_shutdown_timeout_hours: fields.ShutdownHours = None,
    auto_shutdown_force: fields.ShutdownForce = None,
    auto_snapshot_enabled: fields.Snapshots = None,
    auto_snapshot_frequency: fields.SnapshotFrequency = None,
    auto_snapshot_save_count: fields.SnapshotCount = None,
    network_id: Annotated[fields.OptId, Field(description="No way back to the default network.")] = None,
    public_ip_type: fields.IpType = None,
    restore_point_enabled: Annotated[fields.OptBool, Field(description="Use a restore point.")] = None,
    restore_point_frequency: fields.RestoreFrequency = None,
    restore_point_snapshot_id: Annotated[fields.OptId, Field(description="The snapshot to use.")] = None,
    when_running: Annotated[WhenRunning, Field(description="Where a new type or size needs it off.")] = "refuse",
) -> Plan | Answer:
    """Change a machine's name, type, disk or settings. A person confirms what has consequences. Returns `applied`."""
    body = {
        "name": name,
        "machine_type": machine_type,
        "disk_size": disk_size_gb,
        "auto_shutdown_enabled": auto_shutdown_enabled,
        "auto_shutdown_timeout": auto_shutdown_timeout_hours,
        "auto_shutdown_force": auto_shutdown_force,
        "auto_snapshot_enabled": auto_snapshot_enabled,
        "auto_snapshot_frequency": auto_snapshot_frequency,
        "auto_snapshot_save_count": auto_snapshot_save_count,
        "network_id": network_id,
        "public_ip_type": public_ip_type,
        "restore_point_enabled": restore_point_enabled,
        "restore_point_frequency": restore_point_frequency,
        "restore_point_snapshot_id": restore_point_snapshot_id,
    }
    given = MachineUpdate(**{field: value for field, value in body.items() if value is not None})
    values: dict[str, Any] = given.model_dump(by_alias=True, exclude_unset=True)
    if not values:
        raise CallerError("nothing_to_update")
    found = await desk.machine(machine)
    if machine_type is not None:
        values["machineType"] = await changed_to(desk, found.machine_type, machine_type)
    changed = classing.changes(found, values)
    if not changed:
        return _same(desk, found, values, when_running)
    await _check(desk, found, changed, when_running)
    return await _plan(desk, found, changed, when_running)


def _same(desk: Desk, machine: Machine, values: dict[str, Any], when_running: WhenRunning) -> Answer:
    """It is set so already, perhaps by this same call a while ago, which did not come to its end."""
    said = f"{quoted(machine.name)} ({views.text(machine.id)}) is set so already; nothing was changed."
    answer = unchanged(desk, machine, said)
    off = _LEFT_OFF if when_running == "stop_and_start" and machine.state == "off" else ""
    answer.next = _sentences(off, *console.timer(values, machine.model_dump(by_alias=True)))
    return answer


_LEFT_OFF = "It is off; start_machine starts it."


def _sentences(*parts: str) -> str:
    return " ".join(filter(None, parts))


async def _check(desk: Desk, machine: Machine, changed: dict[str, Any], when_running: WhenRunning) -> None:
    """What can be known to be wrong before anybody is asked. Raises a `CallerError`."""
    if "name" in changed and unprotects(desk.conduct.policy.protect, machine.id, machine.name, changed["name"]):
        raise CallerError("rename_unprotects")
    size = classing.current(machine, "diskSize")
    if "diskSize" in changed and size is not None and changed["diskSize"] < size:
        raise CallerError("disk_only_grows")
    if NEEDS_OFF & changed.keys() and machine.state != "off":
        await _check_running(desk, machine, when_running)


async def _check_running(desk: Desk, machine: Machine, when_running: WhenRunning) -> None:
    await moving.check_free(desk, machine)
    if when_running == "refuse" or machine.state not in {"ready", "serviceready"}:
        remedy = "Stop it first, or call again with when_running: stop or stop_and_start."
        raise CallerError("machine_not_off", facts={"state": views.text(machine.state, 40), "remedy": remedy})


async def _plan(desk: Desk, machine: Machine, changed: dict[str, Any], when_running: WhenRunning) -> Plan:
    """One step, or three for a resize of a running machine: stop, update, start."""
    effect, *also = classing.of_update(machine, changed, desk.prices)
    stops = bool(NEEDS_OFF & changed.keys()) and machine.state != "off"
    bound = fingerprinted(effect) | {f"{power.SETTING}{name}" for name in changed}
    target = await desk.target(machine, bound, effect, *also)
    path = {"id": machine.id}
    update = Step(catalogue.UPDATE_MACHINE.name, {"path": path, "body": changed}, effect, target, also=tuple(also))
    steps = _around(update, target, path, start=when_running == "stop_and_start") if stops else (update,)
    usd = _price(desk, machine, changed)
    free = await _capacity(desk, machine, changed)
    arguments = {"machine": machine.id, **changed}
    remarks = console.remarks(changed, {**machine.model_dump(by_alias=True), **changed})
    return Plan(
        "update_machine",
        arguments,
        "update",
        steps,
        (*_lines(machine, changed, effect, len(steps), usd), *await _covered(desk, machine, changed), *remarks, *free),
        usd_per_hour=usd,
        facts={"remarks": remarks, "price_source": _source(desk, machine, changed)},
        adds_usd_per_hour=_added(desk, machine, changed, usd),
    )


async def _covered(desk: Desk, machine: Machine, changed: dict[str, Any]) -> list[str]:
    """A new name may bring a machine under what is allowed in advance: whoever says yes is to know it."""
    if "name" not in changed:
        return []
    found = await desk.conduct.standing(desk.caller)
    new = [one for one in found if matching(one.names, changed["name"]) and not matching(one.names, machine.name)]
    return [f"From then on {one.code} covers it: {', '.join(one.verbs)} is not asked about." for one in new]


async def _capacity(desk: Desk, machine: Machine, changed: dict[str, Any]) -> tuple[str, ...]:
    kind = changed.get("machineType")
    if kind is None:
        return ()
    return (await available(desk, kind, views.place(machine.region)), *doubt(machine.machine_type, kind))


def _price(desk: Desk, machine: Machine, changed: dict[str, Any]) -> float | None:
    kind = changed.get("machineType")
    return pricing.rate(machine, desk.prices) if kind is None else pricing.usd_per_hour(kind, desk.prices)


def _source(desk: Desk, machine: Machine, changed: dict[str, Any]) -> str:
    kind = changed.get("machineType")
    return pricing.source_of(machine, desk.prices) if kind is None else pricing.source(kind, desk.prices)


def _added(desk: Desk, machine: Machine, changed: dict[str, Any], usd: float | None) -> float | None:
    """A machine that is off costs nothing more until it is started; one that runs is paid for already."""
    if "machineType" not in changed or power.group(machine.state) == "off":
        return 0.0
    now = pricing.rate(machine, desk.prices)
    return None if usd is None or now is None else max(0.0, round(usd - now, 6))


def _around(update: Step, target: Target, path: dict[str, str], *, start: bool) -> tuple[Step, ...]:
    """Stop before and perhaps start after. What follows the stop is bound to a machine that is off."""
    exact = {**target.fingerprint, "state": "off"}
    exact.pop("power", None)
    off = replace(target, fingerprint=exact)
    stopped = Step(catalogue.STOP_MACHINE.name, {"path": path}, Effect.DISRUPT, target, STOP_WAIT_S)
    updated = replace(update, target=off, awaits=STOP_WAIT_S if start else 0.0)
    renamed = update.arguments["body"].get("name", target.name)
    again = replace(target, fingerprint={"name": renamed, "state": "off"})
    started = Step(catalogue.START_MACHINE.name, {"path": path}, Effect.SPEND, again)
    return (stopped, updated, started) if start else (stopped, updated)


_STATIC = "A static address is billed until it is released."
_LOSSES = {
    "diskSize": "A disk never shrinks again.",
    "networkId": "There is no way back to the default network.",
    "publicIpType": "A static address that is given up is gone.",
    "autoSnapshotEnabled": "No more snapshots are made.",
    "autoSnapshotSaveCount": "Snapshots beyond the new count are lost.",
    "autoShutdownEnabled": "Nothing shuts it down by itself any more.",
}


def _lines(machine: Machine, changed: dict[str, Any], effect: Effect, steps: int, usd: float | None) -> tuple[str, ...]:
    """What changes, from what to what, and what cannot be taken back."""
    around = {1: "", 2: "STOP it first. ", 3: "STOP it first and START it afterwards. "}[steps]
    stays = ["If the provider refuses the change, it stays off."] if steps > 1 else []
    sets = "; ".join(
        f"{naming_of(name)} {_shown(classing.current(machine, name))} -> {_shown(new)}" for name, new in changed.items()
    )
    losses = [text for name, text in _LOSSES.items() if name in changed and _loses(name, changed, effect)]
    priced = "The new price is not known." if usd is None else f"New price: {pricing.words(usd)}."
    price = [priced] if "machineType" in changed else []
    address = [_STATIC] if changed.get("publicIpType") == "static" else []
    return (f"{around}UPDATE this machine: {sets}.", *stays, *losses, *price, *address)


def _loses(name: str, changed: dict[str, Any], effect: Effect) -> bool:
    if name == "autoShutdownEnabled":
        return not changed[name]
    return effect is Effect.DESTROY and not (name == "autoSnapshotEnabled" and changed[name])


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "unknown"}[value]
    return f"{value:g}" if isinstance(value, int | float) else quoted(str(value), 80)


async def report_update(desk: Desk, plan: Plan, outcomes: Sequence[Outcome], arguments: Arguments) -> Answer:
    """The provider was seen to accept a setting and not to take it, so every field is read back.

    The event is that of the last step: after a start that of the update has ended.
    """
    if broken := failed(outcomes):
        return await _overtaken(desk, outcomes) or broken
    if len(outcomes) < len(plan.steps):
        return await _under_way(desk, plan, outcomes)
    updated = next(one for one in outcomes if one.operation == catalogue.UPDATE_MACHINE.name)
    wanted = next(step.arguments["body"] for step in plan.steps if step.operation == catalogue.UPDATE_MACHINE.name)
    said = "Update accepted for" if updated is outcomes[-1] else "Update done, start accepted for"
    answer = machine_done(outcomes[-1], said, desk, plan.targets[0])
    watched = await _look(desk, updated)
    machine = await moving.read(desk, updated.target_id)
    running = watched is not None and watched.verdict is Verdict.PENDING
    applied = {naming_of(name): _took(machine, name, value, running=running) for name, value in wanted.items()}
    answer.data = {**answer.data, **_row(desk, machine), **_money(plan, outcomes), "applied": applied}
    if watched is not None and watched.verdict in FAILED:
        return failed_event(desk, "update", answer, watched, machine)
    answer.summary = _sentences(answer.summary, *_not_yet(applied))
    over = updated is outcomes[-1] and watched is not None and watched.verdict is Verdict.DONE
    follows, remarks = "" if over else answer.next, plan.facts.get("remarks", ())
    answer.next = _sentences(*_remedies(machine, plan, applied, arguments), follows, *remarks)
    return answer


def _not_yet(applied: dict[str, str]) -> list[str]:
    """The fields that are not in place, and whether they still may be."""
    runs, not_so = ([name for name, how in applied.items() if how == one] for one in ("pending", "no"))
    unknown = [name for name, how in applied.items() if how == "unknown"]
    told = {"Under way": runs, "Not in place": not_so, "Not known to be in place": unknown}
    return [f"{words}: {', '.join(names)}." for words, names in told.items() if names]


def _remedies(machine: Machine | None, plan: Plan, applied: dict[str, str], arguments: Arguments) -> list[str]:
    """What helps where a setting did not take, and where a machine that was off is not started after all."""
    if machine is None:
        return []
    stubborn = (
        _STUBBORN & {name for name, how in applied.items() if how == "no"} if machine.auto_shutdown_enabled else ()
    )
    was_off = len(plan.steps) == 1 and machine.state in {"off", "upgrading"}
    left_off = arguments["when_running"] == "stop_and_start" and was_off
    return [*([_REMEDY] if stubborn else ()), *([_LEFT_OFF] if left_off else ())]


def _row(desk: Desk, machine: Machine | None) -> dict[str, Any]:
    return {} if machine is None else {"machine": views.machine_row(machine, desk.prices)}


def _money(plan: Plan, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What it costs from now on, where the call started it."""
    if outcomes[-1].operation != catalogue.START_MACHINE.name:
        return {}
    return {"usd_per_hour": plan.usd_per_hour, "usd_per_month": pricing.per_month(plan.usd_per_hour)}


_STUBBORN = {"auto_shutdown_timeout_hours", "auto_shutdown_force"}
_REMEDY = (
    "While auto-shutdown is on, the provider was seen to keep its old timeout: set auto_shutdown_enabled to false, "
    "then call again with it true and the new value."
)


async def _look(desk: Desk, outcome: Outcome) -> Watched | None:
    """How the event of a step stands now; None where it made none."""
    event = MachineAndEvent.model_validate(outcome.answer).event
    return None if event is None else (await desk.watch.wait([event.id], timeout_s=0))[0]


async def _under_way(desk: Desk, plan: Plan, outcomes: Sequence[Outcome]) -> Answer:
    """A part is done, and the rest waits for it: which, for what, and how to go on."""
    done, left = (", ".join(one.operation for one in part) for part in (outcomes, plan.steps[len(outcomes) :]))
    answer = machine_done(outcomes[-1], f"Under way (done: {done}; left: {left}):", desk, plan.targets[0])
    watched, machine = await _look(desk, outcomes[-1]), await moving.read(desk, outcomes[-1].target_id)
    answer.data = {**answer.data, **_row(desk, machine), "status": "under_way"}
    if watched is not None and watched.verdict in FAILED:
        verb = outcomes[-1].operation.removesuffix("_machine")
        return failed_event(desk, verb, answer, watched, machine)
    answer.next = f"Repeat the same call within 15 minutes: it goes on. {answer.next}".strip()
    return answer


async def _overtaken(desk: Desk, outcomes: Sequence[Outcome]) -> Answer | None:
    """A refusal of the provider's because of what is under way: its event can be waited for."""
    machine = await moving.read(desk, outcomes[-1].target_id) if moving.in_the_way(outcomes[-1]) else None
    if machine is None:
        return None
    events = await moving.newest(desk, machine.id)
    live = power.moving(machine.state, events, desk.conduct.rooms.now(), OVERDUE_S)
    if live is None:
        return None
    before = [one.operation for one in outcomes[:-1]]
    busy = moving.busy(machine, live)
    busy.changed, busy.facts = "yes" if before else "no", {**busy.facts, "before": ", ".join(before)}
    return wording.answer(busy, executed=bool(before), machine=views.machine_row(machine, desk.prices))


_BY_EVENT = NEEDS_OFF | {"networkId"}


def _took(machine: Machine | None, name: str, value: Any, *, running: bool) -> str:
    """Whether a field is as it was asked for: what an event brings about may not be so before that has ended."""
    now = None if machine is None else classing.current(machine, name)
    if now is None:
        return "unknown"
    if now == value or str(now).casefold() == str(value).casefold():
        return "yes"
    return "pending" if running and name in _BY_EVENT else "no"


def naming_of(field: str) -> str:
    """The argument of a body field: `diskSize` is `disk_size_gb`."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
    return {"disk_size": "disk_size_gb", "auto_shutdown_timeout": "auto_shutdown_timeout_hours"}.get(snake, snake)


UPDATE = Tool(update_machine, "Update a machine", MachineDone, catalogue.UPDATE_MACHINE, report_update, Effect.DESTROY)

"""Update a machine: only what changes is sent, the highest class among it decides, and what took is read back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from paperspace_mcp.conduct import Outcome, fingerprinted
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError, Failure
from paperspace_mcp.contract.requests import MachineUpdate
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import classing, power, pricing
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.plans import Plan, Step, Target
from paperspace_mcp.rules.guard.protection import unprotects
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments, Tool
from paperspace_mcp.surface.tools import params
from paperspace_mcp.surface.tools.capacity import available, other_kind
from paperspace_mcp.surface.tools.reporting import MachineDone, failed, machine_done, unchanged

NEEDS_OFF = frozenset({"machineType", "diskSize"})
STOP_WAIT_S = 45.0
WhenRunning = Literal["refuse", "stop", "stop_and_start"]


async def update_machine(
    desk: Desk,
    machine: params.MachineRef,
    name: params.OptName = None,
    machine_type: Annotated[params.OptName, Field(description="Needs the machine off.")] = None,
    disk_size_gb: Annotated[params.OptSize, Field(description="Only grows; needs it off.")] = None,
    auto_shutdown_enabled: params.OptBool = None,
    auto_shutdown_timeout_hours: params.OptHours = None,
    auto_shutdown_force: params.OptBool = None,
    auto_snapshot_enabled: params.OptBool = None,
    auto_snapshot_frequency: params.OptFrequency = None,
    auto_snapshot_save_count: params.OptCount = None,
    network_id: params.OptText = None,
    public_ip_type: params.OptIpType = None,
    restore_point_enabled: params.OptBool = None,
    restore_point_frequency: params.OptRestore = None,
    restore_point_snapshot_id: params.OptText = None,
    when_running: Annotated[WhenRunning, Field(description="For a new type or size.")] = "refuse",
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
    changed = classing.changes(found, values)
    if not changed:
        return unchanged(
            desk, found, f"{quoted(found.name)} ({views.text(found.id)}) is set so already; nothing was changed."
        )
    _check(desk, found, changed, when_running)
    return await _plan(desk, found, changed, when_running)


def _check(desk: Desk, machine: Machine, changed: dict[str, Any], when_running: WhenRunning) -> None:
    """What can be known to be wrong before anybody is asked. Raises a `CallerError`."""
    if "name" in changed and unprotects(desk.conduct.policy.protect, machine.id, machine.name, changed["name"]):
        raise CallerError("rename_unprotects")
    size = classing.current(machine, "diskSize")
    if "diskSize" in changed and size is not None and changed["diskSize"] < size:
        raise CallerError("disk_only_grows")
    if NEEDS_OFF & changed.keys() and machine.state != "off":
        _check_running(machine, when_running)


def _check_running(machine: Machine, when_running: WhenRunning) -> None:
    state = views.text(machine.state, 40)
    if when_running == "refuse":
        remedy = "Stop it first, or call again with when_running: stop or stop_and_start."
        raise CallerError("machine_not_off", facts={"state": state, "remedy": remedy})
    if machine.state not in {"ready", "serviceready"}:
        raise CallerError("machine_busy", facts={"state": state})


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
    return Plan(
        "update_machine",
        arguments,
        "update",
        steps,
        (*_lines(machine, changed, effect, len(steps), usd), *free),
        usd_per_hour=usd,
        adds_usd_per_hour=_added(desk, machine, changed, usd),
    )


async def _capacity(desk: Desk, machine: Machine, changed: dict[str, Any]) -> tuple[str, ...]:
    kind = changed.get("machineType")
    if kind is None:
        return ()
    lines = (await available(desk, kind, views.place(machine.region)), other_kind(machine.machine_type, kind))
    return tuple(filter(None, lines))


def _price(desk: Desk, machine: Machine, changed: dict[str, Any]) -> float | None:
    kind = changed.get("machineType")
    return pricing.rate(machine, desk.prices) if kind is None else pricing.usd_per_hour(kind, desk.prices)


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
    sets = "; ".join(
        f"{name} {_shown(classing.current(machine, name))} -> {_shown(new)}" for name, new in changed.items()
    )
    losses = [text for name, text in _LOSSES.items() if name in changed and _loses(name, changed, effect)]
    price = [f"New price: {pricing.words(usd)}."] if "machineType" in changed else []
    return (f"{around}UPDATE this machine: {sets}.", *losses, *price)


def _loses(name: str, changed: dict[str, Any], effect: Effect) -> bool:
    if name == "autoShutdownEnabled":
        return not changed[name]
    return effect is Effect.DESTROY and not (name == "autoSnapshotEnabled" and changed[name])


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "unknown"}[value]
    return f"{value:g}" if isinstance(value, int | float) else quoted(str(value), 80)


async def report_update(desk: Desk, plan: Plan, outcomes: Sequence[Outcome], _arguments: Arguments) -> Answer:
    """The provider was seen to accept a setting and not to take it, so every field is read back."""
    if broken := failed(outcomes):
        return broken
    if len(outcomes) < len(plan.steps):
        return _under_way(outcomes)
    updated = next(one for one in outcomes if one.operation == catalogue.UPDATE_MACHINE.name)
    wanted = next(step.arguments["body"] for step in plan.steps if step.operation == catalogue.UPDATE_MACHINE.name)
    answer = machine_done(updated, "Update accepted for", desk)
    machine = await _read_back(desk, updated)
    applied = {naming_of(name): _took(machine, name, value) for name, value in wanted.items()}
    answer.data = {**answer.data, "applied": applied}
    if late := [name for name, how in applied.items() if how != "yes"]:
        answer.summary += f" Not yet seen in place: {', '.join(late)}."
        answer.next = _REMEDY if set(late) & _STUBBORN else answer.next
    return answer


_STUBBORN = {"auto_shutdown_timeout_hours", "auto_shutdown_force"}
_REMEDY = (
    "While auto-shutdown is on, the provider was seen to keep its old timeout: set auto_shutdown_enabled to false, "
    "then call again with it true and the new value."
)


def _under_way(outcomes: Sequence[Outcome]) -> Answer:
    steps = ", ".join(outcome.operation for outcome in outcomes)
    data = {"status": "under_way", "changed": True, "executed": True}
    return Answer(
        f"Done so far: {steps}. The rest waits for that to finish.", data, next="Repeat the same call: it goes on."
    )


async def _read_back(desk: Desk, outcome: Outcome) -> Machine | None:
    try:
        return await desk.conduct.read(catalogue.GET_MACHINE, {"id": outcome.target_id})
    except Failure:
        return None


def _took(machine: Machine | None, name: str, value: Any) -> str:
    now = None if machine is None else classing.current(machine, name)
    return "unknown" if now is None else "yes" if now == value else "no"


def naming_of(field: str) -> str:
    """The argument of a body field: `diskSize` is `disk_size_gb`."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
    return {"disk_size": "disk_size_gb", "auto_shutdown_timeout": "auto_shutdown_timeout_hours"}.get(snake, snake)


UPDATE = Tool(update_machine, "Update a machine", MachineDone, catalogue.UPDATE_MACHINE, report_update, Effect.DESTROY)

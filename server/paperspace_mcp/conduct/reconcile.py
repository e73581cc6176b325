"""A mutation whose answer was lost: what the account shows of it. It is never sent again to find out.

Dates are the provider's and clocks differ, so a trace counts from a little before the sending on.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from paperspace_mcp.conduct.parts import Wire
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError, Failure
from paperspace_mcp.contract.requests import PAGE_LIMIT, EventsQuery, MachinesQuery
from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules import classing, machine_types, naming
from paperspace_mcp.rules.guard.plans import Step
from paperspace_mcp.walking import walk

SKEW_S = 30.0
"""How far the provider's clock may be behind ours."""

Trace = dict[str, Any]
"""The answer that was lost, as far as it can be read back; by the provider's names."""

_EVENTS = {
    catalogue.DELETE_MACHINE.name: frozenset({"deactivate"}),
    catalogue.START_MACHINE.name: frozenset({"start"}),
    catalogue.STOP_MACHINE.name: frozenset({"stop", "vm-shutdown-force"}),
    catalogue.RESTART_MACHINE.name: frozenset({"restart"}),
    catalogue.UPDATE_MACHINE.name: frozenset({"vm-upgrade", "bill-upgrade", "vm-migrate"}),
}


async def trace(wire: Wire, step: Step, since: float) -> Trace | None:
    """What shows that a step sent at `since` (seconds since the epoch) was done; None where nothing does."""
    try:
        return await _FINDERS[step.operation](wire, step, since - SKEW_S)
    except Failure:
        return None


async def _created(wire: Wire, step: Step, since: float) -> Trace | None:
    """A create leaves a machine of exactly its name that was not there before; two of them prove nothing."""
    name = str(step.arguments["body"]["name"])
    found = await walk(wire, catalogue.LIST_MACHINES, MachinesQuery(name=name, limit=PAGE_LIMIT))
    new = [machine for machine in naming.exact(found.items, name) if _after(machine.dt_created, since)]
    if len(new) != 1 or not _ordered(new[0], step.arguments["body"]):
        return None
    event = await _newest(wire, new[0].id, frozenset({"create"}), since)
    return _answer(new[0], event)


def _ordered(machine: Machine, body: Mapping[str, Any]) -> bool:
    """Whether it is what was ordered, as far as can be seen: a colleague may have made one of that name meanwhile."""
    kind, place = machine_types.folded(machine.machine_type), naming.region(machine.region)
    size, wanted = classing.current(machine, "diskSize"), body["diskSize"]
    return (
        kind in {"", machine_types.folded(str(body["machineType"]))}
        and place in {None, naming.region(str(body["region"]))}
        and (size is None or size == wanted)
    )


async def _powered(wire: Wire, step: Step, since: float) -> Trace | None:
    """Power, delete and resize leave an event; a delete may also have taken the machine away already."""
    machine_id = step.arguments["path"]["id"]
    try:
        machine = await wire.read(catalogue.GET_MACHINE, {"id": machine_id})
    except CallerError:
        gone = step.operation == catalogue.DELETE_MACHINE.name and step.target is not None
        return {"data": {"id": machine_id, "name": step.target.name, "state": "off"}} if gone and step.target else None
    event = await _newest(wire, machine_id, _EVENTS[step.operation], since)
    return None if event is None else _answer(machine, event)


async def _updated(wire: Wire, step: Step, since: float) -> Trace | None:
    """Settings leave no event: they are so, or they are not."""
    if found := await _powered(wire, step, since):
        return found
    machine = await wire.read(catalogue.GET_MACHINE, {"id": step.arguments["path"]["id"]})
    return None if classing.changes(machine, step.arguments["body"]) else _answer(machine, None)


async def _granted(wire: Wire, step: Step, _since: float) -> Trace | None:
    return await _accessor(wire, step, step.arguments["body"]["userId"], removed=False)


async def _revoked(wire: Wire, step: Step, _since: float) -> Trace | None:
    return await _accessor(wire, step, step.arguments["path"]["userId"], removed=True)


async def _accessor(wire: Wire, step: Step, user_id: str, *, removed: bool) -> Trace | None:
    path = {"id": step.arguments["path"]["id"], "userId": user_id}
    try:
        accessor = await wire.read(catalogue.GET_MACHINE_ACCESSOR, path)
    except CallerError as failure:
        return {"user": {"id": user_id}} if removed and failure.code == "not_found" else None
    same = (accessor.dt_deleted is not None) is removed
    return accessor.model_dump(mode="json", by_alias=True, exclude_unset=True) if same else None


async def _newest(wire: Wire, machine_id: str, names: frozenset[str], since: float) -> Event | None:
    query = EventsQuery(machine_id=machine_id, order="desc", limit=20)
    page = await wire.read(catalogue.LIST_MACHINE_EVENTS, {}, query)
    return next((event for event in page.items if event.name in names and _after(event.dt_created, since)), None)


def _after(moment: str | None, since: float) -> bool:
    try:
        return moment is not None and datetime.fromisoformat(moment).timestamp() >= since
    except ValueError:
        return False


def _answer(machine: Machine, event: Event | None) -> Trace:
    data: Mapping[str, Any] = machine.model_dump(mode="json", by_alias=True, exclude_unset=True)
    found = {"data": dict(data)}
    return (
        found if event is None else {**found, "event": event.model_dump(mode="json", by_alias=True, exclude_unset=True)}
    )


_FINDERS: dict[str, Callable[[Wire, Step, float], Awaitable[Trace | None]]] = {
    catalogue.CREATE_MACHINE.name: _created,
    catalogue.UPDATE_MACHINE.name: _updated,
    catalogue.DELETE_MACHINE.name: _powered,
    catalogue.START_MACHINE.name: _powered,
    catalogue.STOP_MACHINE.name: _powered,
    catalogue.RESTART_MACHINE.name: _powered,
    catalogue.ADD_MACHINE_ACCESSOR.name: _granted,
    catalogue.REMOVE_MACHINE_ACCESSOR.name: _revoked,
}

"""The control surface over HTTP, for a simulator that runs in another shell.

No key is asked: it is for loopback only. Bodies and answers are JSON.

    GET    /_control/state                 clock, machines (as the wire shows them), planned faults, unanswered events
    GET    /_control/wire                  every API request that arrived
    POST   /_control/wire/clear
    POST   /_control/faults                {"kind": "status", "operation": "start", "times": 1, "status": 429, ...}
    DELETE /_control/faults
    POST   /_control/machines              {"name": ..., any machine field}
    PATCH  /_control/machines/{id or name} {any machine field}
    DELETE /_control/machines/{id or name}
    POST   /_control/machines/{id or name}/accessors  {"userId": ...}
    POST   /_control/advance               {"seconds": 60}
    POST   /_control/time_scale            {"scale": 60}
    POST   /_control/variant               {"default_limit": 50, "dates": "seconds", ...}
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route, Router

from paperspace_mcp.simulator.clock import iso
from paperspace_mcp.simulator.faults import Fault
from paperspace_mcp.simulator.model import machine_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from paperspace_mcp.simulator.handle import Simulator

PREFIX = "/_control"
_MACHINE = "/machines/{machine}"


class _Control:
    """One method per control endpoint; each takes the path's machine and the body."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim

    def wire(self, _machine: str, _body: Any) -> Any:
        return [request.as_json() for request in list(self.sim.wire)]

    def clear_wire(self, _machine: str, _body: Any) -> Any:
        self.sim.wire.clear()
        return {"cleared": True}

    def add_fault(self, _machine: str, body: Any) -> Any:
        return self.sim.faults.add(Fault(**body)).as_json()

    def clear_faults(self, _machine: str, _body: Any) -> Any:
        self.sim.faults.clear()
        return {"cleared": True}

    def add_machine(self, _machine: str, body: Any) -> Any:
        return self._shown(self.sim.add_machine(**body).id)

    def change(self, machine: str, body: Any) -> Any:
        return self._shown(self.sim.change(machine, **body).id)

    def delete(self, machine: str, _body: Any) -> Any:
        self.sim.delete_behind(machine)
        return {"deleted": machine}

    def grant(self, machine: str, body: Any) -> Any:
        self.sim.grant_behind(machine, body["userId"])
        return {"granted": body["userId"]}

    def advance(self, _machine: str, body: Any) -> Any:
        self.sim.advance(float(body["seconds"]))
        return {"now": iso(self.sim.clock.now())}

    def time_scale(self, _machine: str, body: Any) -> Any:
        self.sim.time_scale = float(body["scale"])
        return {"scale": self.sim.time_scale}

    def vary(self, _machine: str, body: Any) -> Any:
        with self.sim.world.lock:
            self.sim.variant.set(**body)
        return asdict(self.sim.variant)

    def state(self, _machine: str, _body: Any) -> Any:
        sim = self.sim
        with sim.world.lock:
            machines = [machine_json(machine, sim.variant) for machine in sim.machines.values()]
        faults = [fault.as_json() for fault in sim.faults.planned()]
        clock = {"now": iso(sim.clock.now()), "timeScale": sim.time_scale}
        return {**clock, "machines": machines, "faults": faults, "requests": len(sim.wire)}

    def _shown(self, machine: str) -> Any:
        return machine_json(self.sim.machine(machine), self.sim.variant)


def _endpoint(run: Callable[[str, Any], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> JSONResponse:
        try:
            body = await request.json() if await request.body() else {}
            return JSONResponse(run(request.path_params.get("machine", ""), body))
        except KeyError as missing:
            return JSONResponse({"message": f"not found: {missing.args[0]}"}, 404)
        except (TypeError, ValueError) as wrong:
            return JSONResponse({"message": str(wrong)}, 400)

    return endpoint


def routes(sim: Simulator) -> Router:
    """The control surface as an ASGI app."""
    does = _Control(sim)
    table: tuple[tuple[str, str, Callable[[str, Any], Any]], ...] = (
        ("GET", "/state", does.state),
        ("GET", "/wire", does.wire),
        ("POST", "/wire/clear", does.clear_wire),
        ("POST", "/faults", does.add_fault),
        ("DELETE", "/faults", does.clear_faults),
        ("POST", "/machines", does.add_machine),
        ("PATCH", _MACHINE, does.change),
        ("DELETE", _MACHINE, does.delete),
        ("POST", _MACHINE + "/accessors", does.grant),
        ("POST", "/advance", does.advance),
        ("POST", "/variant", does.vary),
        ("POST", "/time_scale", does.time_scale),
    )
    return Router([Route(PREFIX + path, _endpoint(run), methods=[method]) for method, path, run in table])

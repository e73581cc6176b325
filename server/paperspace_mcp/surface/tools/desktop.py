"""Desktop settings: host and port; the password stays masked."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from paperspace_mcp.conduct import Outcome, fingerprinted
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError, Refusal
from paperspace_mcp.contract.shapes import Desktop, Machine
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.plans import Plan, Step
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments, Tool
from paperspace_mcp.surface.tools import params
from paperspace_mcp.surface.tools.reporting import Guarded, failed


class OneDesktop(Guarded):
    machine_id: str | None = None
    machine_name: str | None = None
    desktop: views.DesktopView | None = None
    delivered: dict[str, str] | None = None


async def get_machine_desktop(
    desk: Desk,
    machine: params.MachineRef,
    reveal_password: Annotated[bool, Field(description="A person confirms; delivered to a file, not here.")] = False,
) -> Plan | Answer:
    """A machine's desktop host and port, with the password masked. A headless machine has none."""
    if reveal_password and (desk.conduct.policy.read_only or not desk.conduct.reveals):
        raise Refusal("read_only" if desk.conduct.policy.read_only else "reveal_unavailable")
    found = await desk.machine(machine)
    settings = await _settings(desk, found)
    if not reveal_password:
        return _masked(found, views.desktop_view(settings))
    if settings.vnc is None or not settings.vnc.password:
        raise CallerError("no_password")
    return await _reveal(desk, found)


async def _settings(desk: Desk, machine: Machine) -> Desktop:
    """The desktop of a machine that was just read: a 404 says that it has none, as `{}` does."""
    try:
        return await desk.conduct.read(catalogue.GET_MACHINE_DESKTOP, {"id": machine.id})
    except CallerError as failure:
        if failure.code != "not_found":
            raise
        return Desktop()


def _masked(machine: Machine, desktop: views.DesktopView) -> Answer:
    none = desktop.kind == "none"
    where = "has no desktop" if none else f"is reached by {desktop.kind} at {desktop.hostname}:{desktop.port}"
    data = {"machine_id": views.text(machine.id), "machine_name": views.text(machine.name), "desktop": desktop}
    return Answer(f"{quoted(machine.name)} ({views.text(machine.id)}) {where}.", data)


async def _reveal(desk: Desk, machine: Machine) -> Plan:
    target = await desk.target(machine, fingerprinted(Effect.REVEAL), Effect.REVEAL)
    step = Step(catalogue.GET_MACHINE_DESKTOP.name, {"path": {"id": machine.id}}, Effect.REVEAL, target)
    line = "REVEAL the desktop password of this machine: who has it has the machine."
    return Plan("get_machine_desktop", {"machine": machine.id}, "reveal", (step,), (line,))


async def report(_desk: Desk, plan: Plan, outcomes: Sequence[Outcome], _arguments: Arguments) -> Answer:
    if broken := failed(outcomes):
        return broken
    target, delivered = plan.targets[0], outcomes[-1].answer["delivered"]
    data = {"executed": True, "machine_id": target.id, "machine_name": views.text(target.name), "delivered": delivered}
    where = "; ".join(f"{name}: {value}" for name, value in delivered.items())
    return Answer(f"The desktop password of {quoted(target.name)} was delivered ({where}).", data)


DESKTOP: tuple[Tool, ...] = (
    Tool(
        get_machine_desktop,
        "Get desktop settings",
        OneDesktop,
        catalogue.GET_MACHINE_DESKTOP,
        report,
        Effect.REVEAL,
        guards=lambda arguments: bool(arguments["reveal_password"]),
    ),
)

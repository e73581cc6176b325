"""Desktop settings: host and port; the password stays masked."""

from typing import Annotated

from pydantic import Field

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import params


class OneDesktop(views.Envelope):
    machine_id: str | None = None
    machine_name: str | None = None
    desktop: views.DesktopView | None = None


async def get_machine_desktop(
    desk: Desk,
    machine: params.MachineRef,
    reveal_password: Annotated[bool, Field(description="Refused: no place to deliver it to is set up.")] = False,
) -> Answer:
    """A machine's desktop host and port, with the password masked. A headless machine has none."""
    if reveal_password:
        raise Refusal("reveal_unavailable")
    found = await desk.machine(machine)
    desktop = views.desktop_view(await desk.conduct.read(catalogue.GET_MACHINE_DESKTOP, {"id": found.id}))
    where = (
        "has no desktop"
        if desktop.kind == "none"
        else f"is reached by {desktop.kind} at {desktop.hostname}:{desktop.port}"
    )
    data = {"machine_id": views.text(found.id), "machine_name": views.text(found.name), "desktop": desktop}
    return Answer(f"{quoted(found.name)} ({views.text(found.id)}) {where}.", data)


DESKTOP: tuple[Tool, ...] = (
    Tool(get_machine_desktop, "Get desktop settings", OneDesktop, catalogue.GET_MACHINE_DESKTOP),
)

"""The tools, in the order that clients see. A tool that is not in this list does not exist."""

from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools.accessors import ACCESSORS
from paperspace_mcp.surface.tools.desktop import DESKTOP
from paperspace_mcp.surface.tools.events import EVENTS
from paperspace_mcp.surface.tools.explain import EXPLAIN
from paperspace_mcp.surface.tools.fleet import FLEET
from paperspace_mcp.surface.tools.machines import MACHINES
from paperspace_mcp.surface.tools.power import POWER
from paperspace_mcp.surface.tools.summary import SUMMARY
from paperspace_mcp.surface.tools.waste import WASTE

TOOLSETS: dict[str, tuple[Tool, ...]] = {
    "machines": (*MACHINES, *POWER),
    "events": EVENTS,
    "accessors": ACCESSORS,
    "desktop": DESKTOP,
    "fleet": (*FLEET, *SUMMARY, *WASTE, *EXPLAIN),
}

NAMES: dict[str, tuple[str, ...]] = {toolset: tuple(tool.name for tool in tools) for toolset, tools in TOOLSETS.items()}
"""What a policy may name."""

TOOLS: tuple[Tool, ...] = tuple(tool for tools in TOOLSETS.values() for tool in tools)

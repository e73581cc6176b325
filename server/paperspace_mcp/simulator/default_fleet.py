"""The default fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paperspace_mcp.simulator.fleet import add, past

if TYPE_CHECKING:
    from paperspace_mcp.simulator.world import World


def fill(world: World, now: float) -> None:
    for index, name in enumerate(("prod-api-1", "prod-db", "dev-anna", "dev-ben")):
        created = now - 86400.0 * (40 - index)
        machine = add(world, now, id=f"psd{index}f4k2m9", name=name, state="ready", dtCreated=created)
        past(world, machine, "create", created)

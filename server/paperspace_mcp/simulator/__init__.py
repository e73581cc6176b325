"""A faithful double of the Paperspace Machine API, for the demo, the tests and a port of its own.

It shares no code with the rest of the package, so that neither can hide the other's mistakes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paperspace_mcp.simulator.faults import Fault
    from paperspace_mcp.simulator.handle import Simulator
    from paperspace_mcp.simulator.variant import Variant
    from paperspace_mcp.simulator.wire import Request

__all__ = ["Fault", "Request", "Simulator", "Variant"]

_HOMES = {"Fault": "faults", "Request": "wire", "Simulator": "handle", "Variant": "variant"}


def __getattr__(name: str) -> Any:
    """Import on first use: a command that does not simulate should not pay for it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

"""Blocking calls of the store and the audit, off the event loop. What cannot be used is a no."""

from collections.abc import Callable
from typing import TypeVar

from anyio.to_thread import run_sync

from paperspace_mcp.contract.errors import OperatorError

Given = TypeVar("Given")


async def stored(call: Callable[[], Given]) -> Given:
    """One or more transactions of the store.

    Raises:
        OperatorError: store_unusable.
    """
    try:
        return await run_sync(call)
    except OSError:
        raise OperatorError("store_unusable") from None


async def audited(call: Callable[[], Given]) -> Given:
    """One entry of the audit.

    Raises:
        OperatorError: audit_unusable; nothing guarded runs then.
    """
    try:
        return await run_sync(call)
    except OSError:
        raise OperatorError("audit_unusable") from None

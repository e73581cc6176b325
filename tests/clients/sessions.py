"""The sessions, by the name under which the command knows them."""

from collections.abc import Callable

from tests.clients.conformance import conform
from tests.clients.ground import Ground
from tests.clients.inspector import inspect
from tests.clients.mcpdo import ask
from tests.clients.programs import program
from tests.clients.rows import Row
from tests.clients.unasked import approve

Session = Callable[[Ground], list[Row]]
SESSIONS: dict[str, Session] = {
    "inspector": inspect,
    "mcpdo": ask,
    "approve": approve,
    "typescript": program,
    "conformance": conform,
}

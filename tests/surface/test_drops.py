"""Every fault on the connection, once per operation, over a real socket."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from tests.surface.calls import MUTATIONS, READS, arguments
from tests.surface.stage import Stage, on_a_port
from tests.surface.talk import talking

from paperspace_mcp.settings import Upstream
from paperspace_mcp.simulator import Fault, Simulator
from paperspace_mcp.simulator.faults import DROPS

pytestmark = pytest.mark.anyio

FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    *((kind, {"stage": stage}) for kind in ("close", "reset") for stage in ("before", "during", "after")),
    ("cut", {}),
    ("stall", {"stage": "before"}),
)
IDS = ["-".join([kind, *params.values()]) for kind, params in FAULTS]
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(scope="module")
def dropping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patched:
        for name in PROXIES:
            patched.delenv(name, raising=False)
            patched.delenv(name.lower(), raising=False)
        times = {"budget_s": 1.0, "connect_timeout_s": 0.5, "read_timeout_s": 0.4}
        with on_a_port(tmp_path_factory.mktemp("state"), **times) as found:
            yield found


def test_the_drops_here_are_all_there_are() -> None:
    assert {kind for kind, _ in FAULTS} == DROPS


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize(("kind", "params"), FAULTS, ids=IDS)
async def test_a_read_that_is_dropped(dropping: Stage, operation: str, kind: str, params: dict[str, Any]) -> None:
    sim = dropping.scene()
    given = arguments(operation, sim)
    sim.faults.add(Fault(kind, operation, times=None, **params))
    async with talking(dropping.served.server, "2026-07-28") as assistant:
        reply = await assistant.call(operation, **given)
    await dropping.served.wire.aclose()
    assert reply.code == ("upstream_timeout" if kind == "stall" else "unreachable")
    assert (reply.error["changed"], reply.error["retryable"]) == ("no", True)
    assert sim.mutations() == []


@pytest.mark.parametrize("operation", MUTATIONS)
@pytest.mark.parametrize(("kind", "params"), FAULTS, ids=IDS)
async def test_a_mutation_that_is_dropped_is_looked_for_and_never_sent_again(
    dropping: Stage, operation: str, kind: str, params: dict[str, Any]
) -> None:
    sim = dropping.scene()
    sim.faults.add(Fault(kind, operation, times=None, **params))
    async with talking(dropping.served.server, "2026-07-28") as assistant:
        reply = await assistant.call(operation, **arguments(operation, sim))
        again = await assistant.call(operation, **arguments(operation, sim))
        assert len(assistant.questions) == 1
    await dropping.served.wire.aclose()
    [request] = sim.mutations()
    assert request.applied == (params.get("stage") != "before")
    if request.applied:
        assert reply.data["reconciled"], "the account shows that it was done"
        assert again.data["status"] == "already_done"
    else:
        assert (reply.code, reply.error["changed"], "executed" in reply.data) == ("outcome_unknown", "unknown", False)
        assert "list_machine_events" in reply.error["next"]
        assert again.code == "outcome_unknown"


@pytest.fixture(scope="module")
def nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server whose provider refuses connections: the port is bound, and not listened on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        stage = Stage()
        upstream = Upstream(
            url=f"http://127.0.0.1:{held.getsockname()[1]}/v1", key=SecretStr("demo-key"), max_attempts=1
        )
        stage.serve(upstream, tmp_path_factory.mktemp("state"), None)
        yield stage
        stage.served.store.shut()


@pytest.mark.parametrize("operation", [*READS, *MUTATIONS])
async def test_a_provider_that_is_not_there_asks_nobody(nobody: Stage, operation: str) -> None:
    given = arguments(operation, Simulator(clock=lambda: 0.0))
    async with talking(nobody.served.server, "2026-07-28") as assistant:
        reply = await assistant.call(operation, **given)
        questions = assistant.questions
    await nobody.served.wire.aclose()
    assert questions == []
    assert (reply.code, reply.error["changed"]) == ("unreachable", "no")

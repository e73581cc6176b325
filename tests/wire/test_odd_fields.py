"""One value that cannot be read is unknown; it hides neither its machine nor the fleet."""

import json

import pytest
from tests.wire.calls import Canned, bench, canned

from paperspace_mcp.contract import catalogue as api
from paperspace_mcp.contract.errors import UpstreamError

pytestmark = pytest.mark.anyio

ODD = [{"ram": "16GB"}, {"usageRate": ""}, {"region": None}, {"machineType": None}, {"ram": 1.5}, {"accelerators": "x"}]


@pytest.mark.parametrize("odd", ODD, ids=str)
async def test_an_odd_field_is_unknown(odd: dict[str, object]) -> None:
    rows = [{"id": "m1", "name": "one", **odd}, {"id": "m2", "name": "two", "ram": "1024"}]
    body = json.dumps({"hasMore": False, "items": rows}).encode()
    async with bench(transport=Canned(canned(200, body))) as wire:
        page = await wire.paperspace.read(api.LIST_MACHINES)
    assert [machine.name for machine in page.items] == ["one", "two"]
    assert page.items[1].ram == 1024


async def test_a_machine_without_an_id_is_no_machine() -> None:
    body = json.dumps({"hasMore": False, "items": [{"name": "one"}]}).encode()
    async with bench(transport=Canned(canned(200, body))) as wire:
        with pytest.raises(UpstreamError, match="malformed_answer"):
            await wire.paperspace.read(api.LIST_MACHINES)

"""Where a price is from, told wherever one is told in detail and never in a question."""

from pathlib import Path

import pytest
from tests.guard.bench import CREATE, MODERN, Bench, Person, types

from paperspace_mcp.rules import pricing
from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.surface.explaining import explained

pytestmark = pytest.mark.anyio
DATE = "2026-09-20"
README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, policy=Policy(prices={"C5": 0.08}, confirm_usd_per_hour=0.0))


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"machineType": "A4000", "usageRate": 0.5}, pricing.METERED),
        ({"machineType": "A4000", "usageRate": 0}, pricing.SOURCE),
        ({"machineType": "A100x4", "usageRate": 0}, pricing.SOURCE),
        ({"machineType": "V100-32Gx2", "usageRate": 0}, pricing.OLDER),
        ({"machineType": "C5", "usageRate": 0.2}, pricing.OWN),
        ({"machineType": "C7", "usageRate": 0}, None),
    ],
)
async def test_a_machine_in_detail(bench: Bench, fields: dict[str, object], source: str | None) -> None:
    bench.sim.add_machine(id="psnew", name="new", state="off", **fields)
    shown = {}
    for form in ("detailed", "concise"):
        answer = await bench.call(MODERN, None, "get_machine", {"machine": "psnew", "response_format": form})
        shown[form] = answer["machine"]
    assert shown["detailed"].get("price_source") == source
    assert "price_source" not in shown["concise"]


async def test_a_create_tells_it_in_its_answer_and_not_in_its_question(bench: Bench) -> None:
    person = Person(types("create"))
    answer = await bench.call(MODERN, person, CREATE.tool, CREATE.arguments)
    assert answer["price_source"] in {pricing.SOURCE, pricing.METERED}
    assert "USD/h" in person.questions[0]
    assert DATE not in person.questions[0]


async def test_a_dry_run_names_each_source_once(bench: Bench) -> None:
    for name, rate in (("one", 0), ("two", 0.4), ("three", 0)):
        bench.sim.add_machine(id=f"ps{name}", name=f"n-{name}", state="off", machineType="A4000", usageRate=rate)
    wish = {"action": "start", "name_globs": ["n-*"], "dry_run": True}
    answer = await bench.call(MODERN, None, "power_machines", wish)
    assert sorted(answer["price_source"].split("; ")) == sorted([pricing.SOURCE, pricing.METERED])
    restart = await bench.call(MODERN, None, "power_machines", {**wish, "action": "restart", "machines": ["dev-anna"]})
    assert "price_source" not in restart, "where no price is told"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("create_machine", CREATE.arguments),
        ("start_machine", {"machine": "psnew"}),
        ("update_machine", {"machine": "psnew", "machine_type": "P5000"}),
        ("power_machines", {"action": "start", "machines": ["psnew"]}),
    ],
)
async def test_policy_check_tells_it(bench: Bench, tool: str, arguments: dict[str, object]) -> None:
    bench.sim.add_machine(id="psnew", name="new", state="off", machineType="P4000", usageRate=0)
    assert (await explained(bench.app.desk, tool, arguments)).endswith(f"\nprice from: {pricing.SOURCE}")


def test_the_readme_tells_it() -> None:
    text = " ".join(README.read_text(encoding="utf-8").split())
    assert pricing.SOURCE in text
    assert pricing.OLDER in text

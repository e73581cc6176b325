"""What is known of prices, and what is not."""

import pytest

from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import pricing

PRICES = {
    "rtx5000": 0.82, "rtx4000": 0.56, "A100X4": 12.36, "a100-80gb": 3.18,
    "A4000": 0.76, "a4000": 0.76, "A100": 3.09, "A100x4": 12.36, "A100-80G": 3.18, "A100-80Gx8": 25.44, "H100x8": 24.72,
    "V100-32Gx2": 4.6, "RTX5000": 0.82, "GPU+": 0.45, "C1": 0.0045, "C10": 1.6, "C5": None, "": None, "x": None,
    "x8": None, "A4000x": None, "A4000xx": None, "A4000x0": None, "A4000x-1": None, "A4000x1.5": None,
    "unheard-of": None,
}  # fmt: skip


@pytest.mark.parametrize(("kind", "usd"), PRICES.items())
def test_listed_prices(kind: str, usd: float | None) -> None:
    assert pricing.usd_per_hour(kind) == usd


@pytest.mark.parametrize("kind", ["A100x²", "A100x①"])
def test_odd_digits_are_no_price(kind: str) -> None:
    assert pricing.usd_per_hour(kind) is None


def machine(**fields: object) -> Machine:
    return Machine.model_validate({"id": "ps1", **fields})


def test_a_machine_s_own_rate_goes_first() -> None:
    assert pricing.rate(machine(machineType="A4000", usageRate=0.5)) == 0.5
    assert pricing.rate(machine(machineType="A4000", usageRate=0)) == 0.76
    assert pricing.rate(machine(machineType="A4000")) == 0.76
    assert pricing.rate(machine(machineType="unheard-of")) is None


def test_a_month_is_730_hours() -> None:
    assert pricing.per_month(1.0) == 730.0
    assert pricing.per_month(0.0045) == 3.28
    assert pricing.per_month(None) is None


def test_prices_in_words() -> None:
    assert pricing.words(0.76) == "0.76 USD/h (about 555 USD/month)"
    assert pricing.words(25.44) == "25.44 USD/h (about 18,571 USD/month)"
    assert pricing.words(None) == "price unknown"


def test_every_price_is_a_price() -> None:
    assert all(0 < usd < 10 for usd in pricing.USD_PER_HOUR.values())

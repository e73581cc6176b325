"""The whole fleet in one answer."""

from collections.abc import Mapping
from datetime import UTC, datetime

from paperspace_mcp.conduct import Conduct
from paperspace_mcp.contract.errors import UpstreamError
from paperspace_mcp.rules import counting, pricing
from paperspace_mcp.rules.counting import Census, Count
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.sweeping import sweep

REGIONS, TYPES, PREFIXES = 6, 8, 5
"""How many groups are told one by one."""


class GroupView(views.View):
    name: str
    machines: int
    on: int
    usd_per_hour: float


class FleetSummary(views.Envelope):
    machines: int | None = None
    on: int | None = None
    usd_per_hour: float | None = None
    usd_per_month: float | None = None
    unpriced: int | None = None
    states: dict[str, int] | None = None
    regions: list[GroupView] | None = None
    types: list[GroupView] | None = None
    name_prefixes: list[GroupView] | None = None
    scanned_at: str | None = None


async def fleet_summary(desk: Desk) -> Answer:
    """Count all machines, those on, and USD per hour, by region, type, state and name prefix. Complete on any fleet."""
    return await summarized(desk.conduct)


async def summarized(conduct: Conduct) -> Answer:
    """The same for who has no desk. Raises a `Failure`."""
    census = Census(conduct.policy.prices)
    at = datetime.now(UTC)
    found = await sweep(conduct, census.take)
    if not found.complete:
        raise UpstreamError("fleet_unreadable", facts={"seen": census.all.machines})
    return Answer(_said(census.all), facts(census, at))


def _said(count: Count) -> str:
    cost = pricing.words(round(count.usd_per_hour, 2))
    unknown = f"; of {count.unpriced} that are on the price is unknown" if count.unpriced else ""
    return f"{count.machines:,} machine{'' if count.machines == 1 else 's'}, {count.on:,} on: {cost}{unknown}."


def facts(census: Census, at: datetime) -> Mapping[str, object]:
    """The census by the names of `FleetSummary`."""
    usd = round(census.all.usd_per_hour, 4)
    states = census.states.most_common(REGIONS + TYPES)
    return {
        "machines": census.all.machines,
        "on": census.all.on,
        "usd_per_hour": usd,
        "usd_per_month": pricing.per_month(usd),
        "unpriced": census.all.unpriced or None,
        "states": {views.text(state, 40) or "unknown": count for state, count in states},
        "regions": _groups(census.regions, REGIONS),
        "types": _groups(census.types, TYPES),
        "name_prefixes": _groups(census.prefixes, PREFIXES),
        "scanned_at": views.utc(at.isoformat()),
    }


def _groups(counts: dict[str, Count], most: int) -> list[GroupView]:
    return [_group(name, count) for name, count in counting.largest(counts, most)]


def _group(name: str, count: Count) -> GroupView:
    usd = round(count.usd_per_hour, 2)
    return GroupView(name=views.text(name, 40) or "", machines=count.machines, on=count.on, usd_per_hour=usd)


SUMMARY: tuple[Tool, ...] = (Tool(fleet_summary, "Summarize the fleet", FleetSummary),)

"""What is about the whole fleet: power for many machines, and the templates to create them from."""

from collections import Counter

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError, UpstreamError
from paperspace_mcp.contract.requests import TemplatesQuery
from paperspace_mcp.contract.shapes import Template
from paperspace_mcp.rules.machine_types import KNOWN
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.paging import page_query
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import params
from paperspace_mcp.surface.tools.bulk import POWER_MANY
from paperspace_mcp.surface.tools.filters import hint
from paperspace_mcp.surface.tools.offering import labels, spelled
from paperspace_mcp.walking import Walk, walk


class TemplateList(views.Envelope):
    templates: list[views.TemplateView] | None = None
    total: int | None = None
    complete: bool = False


async def list_templates(
    desk: Desk,
    machine_type: params.TypeFilter = "any",
    region: params.RegionFilter = "any",
    name_contains: params.NameContains = "",
) -> Answer:
    """List the provider's operating system templates and the machine types each offers; custom ones are not listed.
    create_machine takes a template's id."""
    wanted_name, met = name_contains.strip().casefold(), Counter[str]()

    def keep(template: Template) -> bool:
        met.update(labels(template))
        named = wanted_name in template.name.casefold()
        placed = region == "any" or template.region is None or views.place(template.region) == region
        return named and placed and (machine_type == "any" or bool(spelled(machine_type, labels(template))))

    try:
        found = await walk(desk.conduct, catalogue.LIST_TEMPLATES, page_query(TemplatesQuery()), keep=keep)
    except CallerError as failure:
        if failure.code == "not_found":
            raise UpstreamError("unavailable_here") from None
        raise
    odd = [] if machine_type == "any" or spelled(machine_type, met) else [machine_type]
    return _answer(found, hint("machine_type", odd, met, KNOWN))


def _answer(found: Walk[Template], told: str) -> Answer:
    """A total is told of a list that was seen to its end only."""
    number = len(found.items)
    count = f"{number} template{'' if number == 1 else 's'}"
    if found.complete:
        known = {"total": number, "complete": True}
        return Answer(f"{count}.", {"templates": _rows(found), **known}, next=told, rows="templates")
    more = f"The list is longer: {found.scanned} were looked at."
    data = {"templates": _rows(found), "complete": False}
    return Answer(f"{count} of a longer list.", data, next=f"{more} {told}".strip(), rows="templates")


def _rows(found: Walk[Template]) -> list[views.TemplateView]:
    return [views.template_view(template) for template in found.items]


FLEET: tuple[Tool, ...] = (
    Tool(list_templates, "List templates", TemplateList, catalogue.LIST_TEMPLATES),
    POWER_MANY,
)

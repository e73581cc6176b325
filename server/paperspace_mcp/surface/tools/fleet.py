"""What is about the whole fleet: power for many machines, and the templates to create them from."""

from typing import Annotated

from pydantic import Field

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError, UpstreamError
from paperspace_mcp.contract.requests import TemplatesQuery
from paperspace_mcp.contract.shapes import Template
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.paging import page_query
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import params
from paperspace_mcp.surface.tools.bulk import POWER_MANY
from paperspace_mcp.walking import walk


class TemplateList(views.Envelope):
    templates: list[views.TemplateView] | None = None
    total: int | None = None


async def list_templates(
    desk: Desk,
    machine_type: Annotated[str, Field(description="Only those that offer it.", max_length=40)] = "any",
    region: params.RegionFilter = "any",
    name_contains: Annotated[str, Field(max_length=params.TEXT_CAP)] = "",
) -> Answer:
    """List operating system templates with the machine types that each offers; create_machine needs a template's id."""
    wanted_type, wanted_name = machine_type.casefold(), name_contains.casefold()

    def keep(template: Template) -> bool:
        named = wanted_name in template.name.casefold()
        placed = region == "any" or template.region in {None, region}
        return named and placed and _offers(template, wanted_type)

    try:
        found = await walk(desk.conduct, catalogue.LIST_TEMPLATES, page_query(TemplatesQuery()), keep=keep)
    except CallerError as failure:
        if failure.code == "not_found":
            raise UpstreamError("unavailable_here") from None
        raise
    rows = [views.template_view(template) for template in found.items]
    return Answer(
        f"{len(rows)} template{'' if len(rows) == 1 else 's'}.",
        {"templates": rows, "total": len(rows)},
        rows="templates",
    )


def _offers(template: Template, machine_type: str) -> bool:
    if machine_type in {"", "any"}:
        return True
    types = template.available_machine_types
    return any(one.machine_type_label.casefold() == machine_type and one.is_available is not False for one in types)


FLEET: tuple[Tool, ...] = (
    Tool(list_templates, "List templates", TemplateList, catalogue.LIST_TEMPLATES),
    POWER_MANY,
)

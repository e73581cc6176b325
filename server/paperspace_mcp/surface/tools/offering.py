"""What the provider's own list of templates says: which templates there are, and which machine types each offers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError, Candidate, Failure
from paperspace_mcp.contract.requests import TemplatesQuery
from paperspace_mcp.contract.shapes import Template
from paperspace_mcp.rules import machine_types, naming
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.paging import page_query
from paperspace_mcp.walking import walk

KEYLESS = frozenset({"unauthorized", "no_key", "bad_key"})
_LIKE_A_TEMPLATE = re.compile(r"t[a-z0-9]{5,15}")
_WORDS = re.compile(r"[\w .()+-]+")
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Offer:
    """The templates that were seen. complete: whether those are all that the list has; the list has no custom ones."""

    templates: tuple[Template, ...] = ()
    complete: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Every machine type that some template offers."""
        return tuple(dict.fromkeys(label for template in self.templates for label in labels(template)))


async def offer(desk: Desk) -> Offer:
    """The provider's list. It is a neighbour of the reference, so that its absence is an answer too."""
    try:
        found = await walk(desk.conduct, catalogue.LIST_TEMPLATES, page_query(TemplatesQuery()))
    except Failure as failure:
        if failure.code in KEYLESS:
            raise
        return Offer()
    return Offer(tuple(found.items), found.complete)


def labels(template: Template) -> list[str]:
    """The machine types that a template can be made on."""
    types = template.available_machine_types
    return [one.machine_type_label for one in types if one.is_available is not False]


def spelled(words: str, among: Iterable[str]) -> str:
    """A label as a list of the provider writes it; empty where it is not in the list."""
    wanted = machine_types.folded(words)
    return next((label for label in among if machine_types.folded(label) == wanted), "")


def kind(words: str, offered: Offer) -> tuple[str, str]:
    """A machine type as the provider writes it, and a remark where nobody can say whether there is one.

    Raises:
        CallerError: unknown_type, where the provider's whole list has none and it is no known one.
    """
    if found := spelled(words, offered.labels) or spelled(words, machine_types.KNOWN):
        return found, ""
    if offered.complete and offered.labels:
        meant = naming.did_you_mean(words, [*offered.labels, *machine_types.KNOWN])
        raise CallerError("unknown_type", facts={"meant": f"Perhaps {meant} is meant; " if meant else ""})
    return machine_types.label(words), "Whether there is such a machine type is not known."


def check(template_id: str) -> None:
    """Raises a `CallerError` for what is neither an id nor words."""
    if not naming.is_id(template_id) and not _WORDS.fullmatch(template_id):
        raise CallerError("bad_id", facts={"argument": "template_id"})


def template(template_id: str, offered: Offer) -> tuple[Template | None, str]:
    """The template of that id, or a remark where the list cannot say whether there is one.

    Raises:
        CallerError: unknown_template with candidates, for what is in no list and cannot be a custom template's id.
    """
    found = next((one for one in offered.templates if one.id == template_id), None)
    if found is not None:
        return found, ""
    if not _LIKE_A_TEMPLATE.fullmatch(template_id):
        raise CallerError("unknown_template", candidates=_similar(template_id, offered.templates))
    if offered.complete:
        return None, "The template is not in the provider's list; custom ones are not."
    return None, "Whether there is such a template is not known."


def _similar(words: str, templates: Iterable[Template]) -> tuple[Candidate, ...]:
    """The templates whose names share the most words with what was given; for showing only."""
    wanted = set(re.findall(r"[a-z]+|[0-9]+", words.casefold()))
    shared = {one.id: len(wanted & set(re.findall(r"[a-z]+|[0-9]+", one.name.casefold()))) for one in templates}
    ranked = sorted(templates, key=lambda one: -shared[one.id])
    return tuple(Candidate(one.id, one.name) for one in ranked[: naming.CANDIDATES])


def offers(found: Template, label: str) -> None:
    """Raises a `CallerError`, type_not_offered, where the template's own list has types, and not that one."""
    there = labels(found)
    if there and not spelled(label, there):
        shown = ", ".join(views.text(one, 40) or "" for one in there[:_SHOWN])
        more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
        raise CallerError("type_not_offered", facts={"types": shown + more})

"""README's tables, from what the server is made of. Pure: text in, text out."""

from collections.abc import Iterable, Sequence

from paperspace_mcp.contract.catalogue import REFERENCE
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard.demands import TABLE, WEAK, Ask, Rule
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import TOOLS

_TYPED = {
    Ask.NOTHING: "nothing",
    Ask.VERB: "{verb}",
    Ask.NAME: "the machine's exact name",
    Ask.PERSON: "the person's e-mail",
}


def filled(document: str, name: str, table: str) -> str:
    """The document with this table between its marks.

    Raises:
        ValueError: the marks are not there.
    """
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    before, _, rest = document.partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise ValueError(f"no place for the table {name}")
    return f"{before}{begin}{table}{end}{after}"


def tools() -> str:
    """The 15 endpoints in the reference's order, then the tools that are none of them."""
    by_operation = {tool.operation.name: tool for tool in TOOLS if tool.operation is not None}
    endpoints = [by_operation[operation.name] for operation in REFERENCE]
    others = [tool for tool in TOOLS if tool not in endpoints]
    rows = [_tool_row(tool) for tool in (*endpoints, *others)]
    return _table(("endpoint", "tool", "class", "a person types", "on a protected machine"), rows)


def _tool_row(tool: Tool) -> tuple[str, ...]:
    effects = effects_of(tool)
    protected = _types(tool, effects, protected=True) if _targets(tool) else "the same"
    plain = _types(tool, effects, protected=False)
    classes = ", ".join(effect.value for effect in effects)
    return _endpoint(tool), f"`{tool.name}`", classes, plain, "the same" if protected == plain else protected


def _endpoint(tool: Tool) -> str:
    operation = tool.operation
    return f"`{operation.method} {operation.path}`" if operation and operation.reference else "-"


def effects_of(tool: Tool) -> tuple[Effect, ...]:
    """The classes of its operations and, where arguments can raise them, the worst."""
    found = {operation.effect for operation in tool.operations} | {tool.effect}
    return tuple(sorted(found, key=lambda effect: effect.rank))


def _targets(tool: Tool) -> bool:
    """A create has no machine yet that could be protected."""
    return any(operation.placeholders for operation in tool.operations)


def _types(tool: Tool, effects: Sequence[Effect], *, protected: bool) -> str:
    cells = [_cell(tool, effect, protected=protected) for effect in effects]
    return cells[0] if len(effects) == 1 else f"{cells[0]}; if {effects[1].value}: {cells[1]}"


def _cell(tool: Tool, effect: Effect, *, protected: bool) -> str:
    """A list of machines takes its verb and its number, and no machine that would take its own name."""
    if not tool.acts:
        return _said(TABLE[effect, protected], verb(tool.name))
    if TABLE[effect, protected].ask is not TABLE[effect, False].ask:
        return "refused (each is asked about alone)"
    return " or ".join(f"`{verb(act.name)} N`" for act in tool.acts if act.effect is effect)


def verb(name: str) -> str:
    """The word of a tool's or an operation's question."""
    return name.partition("_")[0]


def _said(rule: Rule, word: str) -> str:
    if rule.refused:
        return "refused"
    return _TYPED[rule.ask].format(verb=f"`{word}`") + (", out of band only" if rule.out_of_band_only else "")


_ABOUT = {
    Effect.READ: "lists, gets, waits",
    Effect.SPEND: "create, start, auto-shutdown off, a dearer machine type",
    Effect.DISRUPT: "stop, restart, other settings, remove an accessor",
    Effect.GRANT: "add an accessor, create with accessors",
    Effect.REVEAL: "the desktop password, to a file of the person who runs the server",
    Effect.DESTROY: "delete, disk growth, network, static IP, snapshots and restore points",
}


def classes() -> str:
    """What each class asks, from the guard's own table."""
    rows = [_class_row(effect) for effect in Effect]
    heads = ("class", "what is in it", "a person types", "on a protected machine", "`approve` without a secret")
    return _table(heads, rows)


def _class_row(effect: Effect) -> tuple[str, ...]:
    plain, protected = (_said(TABLE[effect, on], "the verb").replace("`", "") for on in (False, True))
    weakly = "-" if effect is Effect.READ else "yes" if effect in WEAK else "no"
    return effect.value, _ABOUT[effect], plain, "the same" if protected == plain else protected, weakly


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


TABLES = {"tools": tools, "classes": classes}

"""What a call would meet: its class, and who would be asked for what, by which rule. Nothing is recorded or done."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.rules.guard.records import Channel
from paperspace_mcp.rules.naming import did_you_mean
from paperspace_mcp.surface.adapter import arguments_of
from paperspace_mcp.surface.arguments import problems
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tools import TOOLS

_HOW = {
    Channel.RULE: "nobody is asked",
    Channel.CLIENT: "a person is asked in the client, or out of band where it cannot be",
    Channel.INBOX: "a person decides, out of band only",
}


async def explained(desk: Desk, name: str, values: Mapping[str, Any]) -> str:
    """The explanation, in lines. Raises a `Failure` where the call would be refused."""
    tool = next((one for one in TOOLS if one.name == name), None)
    if tool is None:
        meant = did_you_mean(name, [one.name for one in TOOLS])
        raise CallerError("bad_argument", facts={"problems": f"No such tool. Did you mean {meant}?"})
    desk.permit(tool.name, tool.touches)
    model = arguments_of(tool)
    try:
        arguments = model.model_validate(dict(values)).model_dump_one_level()
    except ValidationError as error:
        raise CallerError("bad_argument", facts={"problems": problems(error, model)}) from None
    planned = await tool.function(desk, **arguments)
    if isinstance(planned, Answer):
        return f"allowed; nobody is asked. {planned.summary}"
    decision, record = await desk.conduct.preview(desk.caller, planned)
    typed = [] if record.channel is Channel.RULE else [f"to type: {record.expects}"]
    how = f"{_HOW[record.channel]} (rule {decision.rule})"
    source = planned.facts.get("price_source")
    priced = [f"price from: {source}"] if source else []
    return "\n".join([f"class: {planned.effect}", how, *typed, *planned.lines, *priced])

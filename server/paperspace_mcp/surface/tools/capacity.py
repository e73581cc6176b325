"""Whether a machine type can be had now: for a question, before anybody is asked about what cannot work."""

import re

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import Failure
from paperspace_mcp.contract.requests import AvailabilityQuery
from paperspace_mcp.surface.desk import Desk

_NO_GPU = re.compile(r"C\d+", re.IGNORECASE)


async def available(desk: Desk, machine_type: str, region: str) -> str:
    """A line for the question. The list is a neighbour of the reference, so that its absence is an answer too."""
    query = AvailabilityQuery(machine_type=machine_type, region=region)
    try:
        free = (await desk.conduct.read(catalogue.MACHINE_AVAILABILITY, {}, query)).available
    except Failure as failure:
        if failure.code in {"unauthorized", "no_key", "bad_key"}:
            raise
        return "Whether the type is free now is not known."
    return "The type is free now." if free else "The type is NOT free now: it will probably fail."


def other_kind(old: str, new: str) -> str:
    """A line where a type changes between with and without a GPU, which the provider's limits page rules out."""
    if bool(_NO_GPU.fullmatch(old)) == bool(_NO_GPU.fullmatch(new)):
        return ""
    return "Between types with and without a GPU the provider will probably refuse."

"""Whether a machine type can be had: for a question, before anybody is asked about what cannot work."""

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError, Failure
from paperspace_mcp.contract.requests import AvailabilityQuery
from paperspace_mcp.rules import machine_types
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.tools import offering


async def available(desk: Desk, machine_type: str, region: str) -> str:
    """A line for the question. The list is a neighbour of the reference, so that its absence is an answer too."""
    query = AvailabilityQuery(machine_type=machine_type, region=region)
    try:
        free = (await desk.conduct.read(catalogue.MACHINE_AVAILABILITY, {}, query)).available
    except Failure as failure:
        if failure.code in offering.KEYLESS:
            raise
        return "Whether the type is free now is not known."
    return "The type is free now." if free else "The type is NOT free now: it will probably fail."


async def changed_to(desk: Desk, old: str, words: str) -> str:
    """The type that a machine of type `old` is to become, as the provider writes it.

    The provider's templates are read only for a type that is not known here.

    Raises:
        CallerError: other_group or unknown_type, for what the provider is known to refuse.
    """
    known = offering.spelled(words, machine_types.KNOWN)
    label = known or offering.kind(words, await offering.offer(desk))[0]
    if machine_types.elsewhere(old, label):
        raise CallerError("other_group", facts={"kin": ", ".join(machine_types.kin(old))})
    return label


def doubt(old: str, new: str) -> tuple[str, ...]:
    """A remark where no source says whether the provider changes one type into the other."""
    if machine_types.doubtful(old, new) or not (machine_types.group(old) and machine_types.group(new)):
        return ("The provider changes a type within its group only: it may refuse.",)
    return ()

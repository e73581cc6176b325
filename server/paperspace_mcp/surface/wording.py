"""Every failure in words, once: what happened, whether anything changed, what would work.

No argument's value and no upstream body is ever repeated. The provider's short message for a refused request is
shown, cleaned and quoted, because it often says what no list of ours can.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from paperspace_mcp.contract.errors import Failure
from paperspace_mcp.rules.guard.cleaning import ERROR_CAP, quoted
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.views import ErrorView, candidate_view


class Words(NamedTuple):
    """What happened, and what would work. `{name}` is filled from the failure's facts.

    alone: what would work where there are no candidates.
    """

    message: str
    next: str = ""
    alone: str = ""


_LIST = "list_machines shows the machines; name_contains narrows it."
EVENT_IDS = "Event ids come from power answers or list_machine_events."
_GIVE = "Give the user's id (u...), or the e-mail of a team member."
_WHERE_FROM = (
    "Most often something else answered: the network's login page, a proxy, or a PAPERSPACE_API_URL that is not the "
    "API's. A person checks them."
)
_UNKNOWN = "Read the machine (get_machine) and its events (list_machine_events) before anything is repeated."

WORDS: dict[str, Words] = {
    # the call
    "bad_argument": Words("{problems}", "Correct the arguments and call again."),
    "bad_id": Words(
        "`{argument}` is not an id: letters, digits, - and _ only, at most 64.", "Ids come from the list tools."
    ),
    "bad_id:event": Words("`{argument}` takes event ids only: letters, digits, - and _, at most 64.", EVENT_IDS),
    "unknown_event": Words("The provider knows no event of this id.", EVENT_IDS),
    "bad_cursor": Words(
        "The cursor does not fit this call.", "Repeat the call that gave it with the same filters, or leave it out."
    ),
    "unknown_prompt": Words("There is no such prompt.{meant}", "Prompts are {known}."),
    "prompt_shut": Words(
        "This prompt leads to {tool}, which this server does not offer.",
        "Whoever runs the server decides which tools it offers.",
    ),
    "not_completed": Words("Nothing is completed there.", "Completed are {known}."),
    "unknown_machine": Words(
        "No machine has this id, name or public address; the whole list was looked through ({count}).",
        "Use the id or the exact name of a candidate, or list_machines.",
        _LIST,
    ),
    "unknown_machine:several": Words(
        "In `machines`, {which}: no machine has that id, name or public address.",
        "Use the ids or exact names of the candidates, or list_machines.",
        _LIST,
    ),
    "ambiguous_machine:several": Words(
        "In `machines`, {which}: several machines answer to that name.", "Use the ids of the candidates."
    ),
    "empty_selector": Words(
        "Nothing says which machines are meant.",
        'Give machines, name_globs, region, machine_type or states; name_globs: ["*"] means all.',
    ),
    "protected_in_bulk": Words(
        "Some of the named machines are protected: each of those is asked about alone, by its name.",
        "Leave the candidates out here, and call {tool} for each of them.",
    ),
    "fleet_incomplete": Words(
        "The list of machines could not be read to its end, so nothing was chosen from it.", "Call again later."
    ),
    "fleet_incomplete:name": Words(
        "The list of machines could not be read to its end, so which machines have this name is not known.",
        "Use the machine's id.",
    ),
    "ambiguous_machine": Words("Several machines answer to this name.", "Use the id of one of the candidates."),
    "unknown_user": Words(
        "Nobody in this team has that id or e-mail.", "Use the id or the e-mail of a candidate.", _GIVE
    ),
    "unknown_user:key": Words(
        "This key cannot list the team, and nobody who is known without it has that id or e-mail.",
        "Give the user's id (u...), or the e-mail of somebody who has access already.",
    ),
    "unknown_user:down": Words(
        "The team could not be read just now, and nobody who is known without it has that id or e-mail.",
        "Call again later, or give the user's id (u...).",
    ),
    "unknown_user:long": Words(
        "Nobody in this team has that id or e-mail, as far as its list could be read.", "Give the user's id (u...)."
    ),
    "ambiguous_user": Words("Several people of this team have that e-mail.", "Use the id of one of the candidates."),
    "too_many_people": Words(
        "So many people cannot be confirmed in one question. Nothing was done.",
        "Create it with fewer, and call add_machine_accessor for each of the others.",
    ),
    "unknown_region": Words("No such region.", "Regions are ny2 (New York), ca1 (California) and ams1 (Amsterdam)."),
    "unknown_template": Words(
        "The provider's list has no template of that id.",
        "Use the id of a candidate, or of list_templates.",
        "list_templates names them; the id of a custom one stands in the provider's console.",
    ),
    "unknown_type": Words(
        "No template of the provider offers such a machine type.",
        "{meant}list_templates names the types that each template offers.",
    ),
    "type_not_offered": Words(
        "The template does not offer that machine type.",
        "It offers {types}; list_templates with machine_type finds the templates that offer another.",
    ),
    "other_group": Words(
        "A machine's type changes only within its group, and that type is of another.",
        "Of this machine's group are {kin}; create_machine makes a machine of another.",
    ),
    "nothing_to_update": Words("No field to change was given.", "Name at least one field."),
    "machine_not_off": Words("The machine is not off ({state}), and this needs it off.", "{remedy}"),
    "machine_deleted": Words("The machine was deleted.", "list_machines lists those that are there."),
    "machine_off": Words("The machine is off, so there is nothing to restart.", "start_machine starts it."),
    "machine_busy": Words(
        "The machine is {state}: nothing can be done to it until that ends.",
        "get_machine shows when it is; then call again.",
    ),
    "machine_busy:event": Words(
        "Its {doing} event is under way (the machine is {state}): nothing else can be done to it until that ends.",
        "wait_for_event with {event}, then call again.",
    ),
    "machine_busy:several": Words(
        "Something else is under way on {count} of the machines: nothing can be done to them until that ends.",
        "wait_for_event with the event_id of each, then repeat the same call.",
    ),
    "event_failed": Words("The {verb} of {machine} was begun, and its event failed. The machine is {state}.", _UNKNOWN),
    "event_failed:cancelled": Words(
        "The {verb} of {machine} was begun, and its event was cancelled. The machine is {state}.", _UNKNOWN
    ),
    "event_failed:machine_gone": Words(
        "The {verb} of {machine} was begun, and the machine was deleted meanwhile.",
        "list_machines shows what there is.",
    ),
    "event_failed:several": Words(
        "The {verb} was begun, and the events of all {count} machines failed.",
        "`why` tells the reason of each; for lack of capacity repeat the same call later.",
    ),
    "no_capacity": Words(
        "The {verb} of {machine} was begun and failed: the provider has no capacity for its type now. "
        "The machine is {state}.",
        "Call again later, or set another type (update_machine, machine_type).",
    ),
    "not_found": Words("The provider knows nothing of that id (404).", "It may have been deleted; look in the list."),
    "bad_request": Words("The provider refused the request (400).", "Correct the arguments as its message says."),
    "bad_request:silent": Words(
        "The provider refused the request (400) and gave no reason.",
        "Read the machine (get_machine) and its events (list_machine_events), and look at the arguments.",
    ),
    "conflict": Words(
        "The provider says that another request is in the way (409).", "Wait for the running event, then call again."
    ),
    "precondition_failed": Words(
        "The provider says that a requirement is not met (412).", "Read the machine's state first."
    ),
    "payload_too_large": Words("The request is too large for the provider (413).", "Give shorter arguments."),
    "method_not_supported": Words("The API's address does not offer this operation (405).", "A person checks its URL."),
    "disk_only_grows": Words(
        "A disk only grows: the size asked for is not above the present one.",
        "get_machine with response_format detailed tells the present size; give one above it.",
    ),
    "rename_unprotects": Words(
        "The new name would change which protection rules match the machine, and no tool may do that.",
        "A person can rename it in the provider's console.",
    ),
    # the operator
    "no_key": Words(
        "No API key is configured, so the provider cannot be called.",
        "A person sets PAPERSPACE_API_KEY (or PAPERSPACE_API_KEY_FILE) where this server is started.",
    ),
    "bad_key": Words("The configured API key has characters that no key has.", "A person corrects PAPERSPACE_API_KEY."),
    "unauthorized": Words(
        "The provider refuses the API key (401): wrong, expired or revoked.", "A person sets a valid key."
    ),
    "forbidden": Words("The API key may not do this (403).", "A person uses a key with that permission."),
    "payment_required": Words("The provider wants a bill paid first (402).", "A person settles it in the console."),
    "proxy_unauthorized": Words("The proxy wants credentials (407).", "A person corrects the proxy settings."),
    "model_unusable": Words(
        "The model did not answer as an OpenAI-compatible address does.", "A person checks the URL, name and key."
    ),
    "bad_policy": Words("The policy cannot be used: {problem}.", "A person corrects it; nothing is served until then."),
    "bad_configuration": Words(
        "The setting {setting} cannot be used.", "A person corrects it where this server is started."
    ),
    "store_unusable": Words(
        "Approvals cannot be recorded, so nothing that needs one is done.", "A person checks the state directory."
    ),
    # the provider
    "rate_limited": Words("The provider limits the rate of requests (429).", "Call again after a pause{pause}."),
    "upstream_error": Words("The provider failed ({status}).", "Call again later."),
    "upstream_timeout": Words("The provider did not answer in time.", "Call again later."),
    "upstream_redirect": Words(
        "The API's address answered with a redirect, which is never followed.", "A person checks PAPERSPACE_API_URL."
    ),
    "unreachable": Words("The provider could not be reached; the request did not leave.", "Call again later."),
    "unreachable:lost": Words("The request was sent, and the provider's answer was lost.", "Call again later."),
    "unreachable:timeout": Words("The provider did not answer in time.", "Call again later."),
    "step_failed": Words("An earlier step of the plan failed at the provider.", _UNKNOWN),
    "policy_changed": Words("The policy has changed since the question.", "Call again to be asked anew."),
    "malformed_answer": Words("The provider's answer could not be read.", _WHERE_FROM),
    "malformed_answer:not_json": Words("What answered for the provider did not send JSON.", _WHERE_FROM),
    "malformed_answer:empty": Words("What answered for the provider sent nothing.", _WHERE_FROM),
    "malformed_answer:wrong_shape": Words(
        "What answered for the provider sent JSON, but not what its reference describes.", _WHERE_FROM
    ),
    "malformed_answer:too_large": Words(
        "The provider's answer is larger than this server reads.", "Ask for less: filters, or one machine."
    ),
    "malformed_answer:bad_encoding": Words("The provider's answer could not be unpacked.", _WHERE_FROM),
    "unavailable_here": Words(
        "The API at the configured address does not offer that list.",
        "Without it: a person reads a template's id in the provider's console, and create_machine takes it.",
    ),
    "outcome_unknown": Words(
        "The request left, and no readable answer came back: it may or may not have been done.", _UNKNOWN
    ),
    # the guard
    "declined": Words(
        "The person said no. Nothing was done.", "Do not repeat the call unless the person asks for it again."
    ),
    "mistyped": Words(
        "What was typed is not what the question asked for. Nothing was done.", "Call again to be asked again."
    ),
    "expired": Words("The answer came too late. Nothing was done.", "Call again to be asked again."),
    "already_spent": Words(
        "This approval was used before. Nothing more was done.", "Read the machine to see how it stands."
    ),
    "target_changed": Words(
        "The machine is no longer as it was approved ({moved}). Nothing was done.",
        "Read it, and call again to ask anew.",
    ),
    "protected": Words(
        "The machine is protected, and this is refused for protected machines however it is approved.",
        "A person with access to this server's policy decides what is protected.",
    ),
    "out_of_band_only": Words(
        "On a protected machine this is approved outside of the conversation only.", "A person approves it there."
    ),
    "read_only": Words("This server is read-only.", "A person changes its policy, or does it in the console."),
    "toolset_off": Words("This server does not offer that set of tools.", "A person changes its toolsets."),
    "tool_off": Words("This server's policy shuts that tool.", "A person changes its policy."),
    "frozen": Words("Everything that changes something is frozen by a person.", "A person lifts the freeze."),
    "denied_by_policy": Words("This server's policy denies that class of operation ({effect}).", "A person does it."),
    "identity_needed": Words(
        "Nobody vouches for who calls this server, and that class of operation needs it.",
        "A person gives its users tokens, or uses the server on stdio.",
    ),
    "too_many": Words("The plan has more machines than one call may touch ({batch}).", "Do it in parts."),
    "too_many:selected": Words(
        "{count} machines would be touched, and one call may touch {batch}.",
        "{parts}",
    ),
    "type_not_allowed": Words("This server's policy does not allow that machine type.", "Choose an allowed one."),
    "over_budget": Words(
        "A budget of this server's policy is used up ({ledger}).", "A person decides what is stopped."
    ),
    "not_covered": Words(
        "The standing approval {approval} does not cover this call, or has run out. Nothing was done.",
        "A person sees what it covers and what is left of it.",
    ),
    "approval_gone": Words(
        "What let this call through without a question does not any more.", "Call again to be asked."
    ),
    "fleet_unreadable": Words(
        "The provider's list of machines leads back into itself after {seen}: how many there are is not known.",
        "list_machines with a filter (region, machine_type) reads parts of it.",
    ),
    "fleet_uncounted": Words("A budget is set, and the fleet could not be counted.", "Call again later."),
    "audit_unusable": Words(
        "The audit cannot be written, so nothing that needs one is done.", "A person checks its file."
    ),
    "too_many_tries": Words("Too many wrong secrets in ten minutes.", "Try again later."),
    "unknown_code": Words("No question that waits for a person has this code."),
    "already_decided": Words("It was decided already ({how})."),
    "wrong_secret": Words("That is not the approver's secret. Nothing was decided."),
    "mistyped_out_of_band": Words("That is not what the question asks for. Nothing was decided; it still waits."),
    "bad_standing": Words("A standing approval has verbs ({verbs}), name globs and a number of uses."),
    "bad_duration": Words("That is no duration that may be given: such as 30m, 8h or 14d."),
    "no_password": Words(
        "This machine has no desktop password.", "get_machine_desktop without reveal_password tells what it has."
    ),
    "no_secret": Words("This needs an approver's secret, and none is set up."),
    "reveal_unavailable": Words(
        "The password cannot be shown: no place to deliver it to is set up.",
        "Without `reveal_password` the rest is answered; a person sees the password in the provider's console.",
    ),
    "unfinished": Words("An earlier step of this approval is still under way or was broken off.", _UNKNOWN),
    "internal_error": Words("This server failed inside; its log says where.", _UNKNOWN),
}


def explain(failure: Failure) -> tuple[str, str]:
    """A failure's message and what to do next."""
    silent = "" if failure.facts.get("provider_message") else "silent"
    causes = (failure.facts.get("cause") or silent, failure.facts.get("problem"))
    found = (WORDS.get(f"{failure.code}:{cause}") for cause in causes)
    words = next(filter(None, found), None) or WORDS.get(failure.code) or WORDS["internal_error"]
    facts = _Facts(failure.facts)
    message = words.message.format_map(facts)
    if said := failure.facts.get("provider_message"):
        message += f" It says: {quoted(str(said), ERROR_CAP)}."
    if among := failure.facts.get("among"):
        message = f"{among}: {message}"
    if before := failure.facts.get("before"):
        message = f"Done first by this call: {before}. Then: {message.replace(' Nothing was done.', '')}"
    after = words.next if failure.candidates or not words.alone else words.alone
    return message, after.format_map(facts) + _left(failure)


def _left(failure: Failure) -> str:
    """How a plan that broke off in the middle leaves its machine."""
    before = str(failure.facts.get("before", "")).split(", ")
    return " The call stopped the machine; start_machine starts it again." if "stop_machine" in before else ""


class _Facts(dict[str, Any]):
    """Facts for the wording; one that is missing says so instead of failing inside an error."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        super().__init__(facts)
        after = facts.get("retry_after_s")
        self["pause"] = f" of {after:g} s" if isinstance(after, int | float) else ""

    def __missing__(self, key: str) -> str:
        return "unknown"


def answer(failure: Failure, **data: Any) -> Answer:
    """The answer of a call that failed, in the envelope of its tool."""
    message, after = explain(failure)
    view = ErrorView(
        code=failure.code,
        message=message,
        retryable=failure.retryable,
        changed=failure.changed,
        candidates=[candidate_view(one) for one in failure.candidates] or None,
        next=after or None,
        status=failure.facts.get("status"),
        provider_code=failure.facts.get("provider_code"),
    )
    return Answer(summary=message, data={**data, "error": view}, is_error=True)

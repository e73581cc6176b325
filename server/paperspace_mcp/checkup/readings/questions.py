"""The questions of `doctor --contract`, on one page. Pure data.

Each is one that the provider's reference leaves open. A reading claims no more than the answers of this account show;
`server` says what this server does with it, where it does anything.
"""

from paperspace_mcp.checkup.readings import around, filters, paging, refusals, values
from paperspace_mcp.checkup.readings.question import Change, Question

_LISTS = ("machines", "events")
_NAMES = ("machines", "name_of_none", "name_middle", "name_beginning", "name_whole")
_ACCESSORS = ("machines", "accessors_1", "accessors_2", "accessors_3")

# fmt: off
QUESTIONS: tuple[Question, ...] = (
    # -- lists
    Question(
        "default_limit", "How many rows has a list without a limit?",
        ("machines_default", "events_default"), paging.default_limit, "Each list that it reads has a limit.",
    ),
    Question(
        "long_limit", "Is a limit over 120 refused?", ("long_limit",), paging.long_limit, "It asks for 120 at most.",
    ),
    Question(
        "next_page_on_last", "What is nextPage on the last page?",
        (*_ACCESSORS, "events", "name_of_none"), paging.next_page_on_last,
        "null, empty and absent all end a list; so does hasMore.",
    ),
    Question(
        "cursors", "What is a cursor?", ("first_page", "next_page", *_LISTS, "machines_default", "events_default"),
        paging.cursors, "A cursor is passed on as it came; one that comes twice ends a list.",
    ),
    Question(
        "unknown_cursor", "What follows a cursor that was never given?", ("first_page", "unknown_cursor"),
        paging.unknown_cursor, "Its own cursors are bound to their filters; a foreign one is refused unsent.",
    ),
    Question(
        "other_order", "May a cursor go with another order?", ("first_page", "next_page", "other_order"),
        paging.other_order, "It goes on in the order in which it began.",
    ),
    Question(
        "strict_queries", "Is an unknown query parameter refused?", ("unknown_query",), paging.unknown_query,
        "It sends those of the reference only.",
    ),
    Question(
        "repeated_query", "Which of two equal query parameters counts?", (*_LISTS, "repeated_query"),
        paging.repeated_query, "It sends none twice.",
    ),
    Question(
        "event_retention", "How far back do events go, in days?", ("oldest_event", "machines"), paging.retention,
        "find_waste says how far back it could see.",
    ),
    # -- filters
    Question(
        "name_filter", "How does `name` filter machines?", _NAMES, filters.name_filter,
        "list_machines compares names itself, up to 500 machines; in a longer list the provider's filter counts.",
    ),
    Question(
        "name_filter_folds", "Does `name` find another case?", (*_NAMES, "name_other_case"), filters.name_filter_folds,
        "list_machines finds any case, up to 500 machines; in a longer list the provider's filter counts.",
    ),
    Question(
        "fold_machine_type", "Does `machineType` find another case?",
        ("machines", "type_of_none", "type_other_case"), filters.type_other_case,
        "list_machines finds any case, up to 500 machines; in a longer list the provider's filter counts.",
    ),
    Question(
        "long_region_filter", "Does `region` take the long names of regions?",
        ("machines", "region_long", "region_elsewhere"), filters.long_region,
        "It sends the code, whatever name was given.",
    ),
    # -- what stands in machines and events
    Question(
        "digits_as_strings", "Are sizes in bytes strings?", ("machines",), values.digits_as_strings, "It reads both.",
    ),
    Question(
        "long_regions", "How are regions named in answers?", ("machines",), values.long_regions,
        "It reads both and answers with the code.",
    ),
    Question(
        "omit_null_accelerators", "Do machines without accelerators lack the field?", ("machines",),
        values.omit_null_accelerators, "It reads both.",
    ),
    Question(
        "dates", "How are dates written?", _LISTS, values.dates,
        "It reads each form, and answers in UTC with seconds and a Z.",
    ),
    Question("event_ids", "Which form have the ids of events?", ("events", "events_default"), values.event_ids),
    Question(
        "id_forms", "Which forms have the other ids?", (*_ACCESSORS, "templates"), values.id_forms,
        "An id stands in a path if it has letters, digits, _ and - only, and at most 64 of them.",
    ),
    Question(
        "storage_rate", "What is storageRate an amount for?", ("machines",), values.storage_rate,
        "It passes the number on and claims no unit.",
    ),
    Question(
        "usage_rate", "What is usageRate an amount for?", ("machines",), values.usage_rate,
        "It takes it for USD per hour.",
    ),
    Question(
        "cpu_prices", "What do the types C2 to C9 cost?", ("machines",), values.cpu_prices,
        "It has no price for them: the machine's own rate counts, or that of the policy.",
    ),
    Question(
        "free_when_off", "Is usageRate 0 while a machine is off?", ("machines",), values.free_when_off,
        "A rate of 0 is replaced by the price of its table; without one the price is unknown.",
    ),
    # -- what is not there, and what is refused
    Question(
        "not_found_text", "Has an unknown machine a text of its own?", ("unknown_machine", "unknown_path"),
        refusals.not_found_text, "It goes by the status.",
    ),
    Question(
        "validation_errors", "Where is a refused input explained?", ("wrong_order", "long_limit"),
        refusals.validation_errors, "It shows the message, and nothing of the rest.",
    ),
    Question(
        "deleted_machines", "Can a deleted machine be read?", ("machines", "events", "deleted_machine"),
        refusals.deleted_machines, "Lists leave it out; get_machine says that it was deleted; nothing is done to it.",
    ),
    Question(
        "tombstones_listed", "Are removed accessors listed?", _ACCESSORS, values.tombstones,
        "They are shown as removed.",
    ),
    Question(
        "removed_accessor", "Can a removed accessor be read?", (*_ACCESSORS, "removed_accessor"),
        refusals.removed_accessor, "Both are taken for no access.",
    ),
    Question(
        "headless_desktop", "What is the desktop of a headless machine?", ("machines", "desktop_headless"),
        refusals.headless_desktop, "An empty answer and a 404 both mean that there is none.",
    ),
    Question(
        "desktop_when_off", "Is the desktop of a machine told that is off?", ("machines", "desktop_off"),
        refusals.desktop_when_off,
    ),
    Question(
        "retry_after", "Does a 429 say when to come back?", (), refusals.retry_after,
        "It waits so long, or tells it where a call cannot wait.",
    ),
    Question(
        "rate_limit_headers", "Do answers say how many requests are left?", (), around.rate_limit_headers,
        "It does not read them.",
    ),
    # -- beside the reference
    Question(
        "session_without_key", "What is auth/session without a key?", ("session_without_key",),
        refusals.session_without_key, "Both are taken for a wrong key.",
    ),
    Question(
        "neighbours", "Are the endpoints there that this server uses beside the reference?",
        tuple(around.NEIGHBOURS), around.neighbours,
        "Without os-templates list_templates says so; without machine-availability a question says that it is not "
        "known; without the team an e-mail is looked for among a machine's accessors only.",
    ),
    Question(
        "open_disk_size", "Does the provider's description allow other disk sizes?", ("description",),
        around.open_disk_size, "It passes on every size above 0.",
    ),
    Question(
        "create_defaults", "Which defaults of a create does the provider's description name?", ("description",),
        around.create_defaults, "It sends what was given, and nothing for what was not.",
    ),
)

CHANGES: tuple[Change, ...] = (
    Change("resize_refusal", "With which status is a resize of a machine refused that is not off?"),
    Change("delete_needs_off", "Must a machine be off to be deleted?"),
    Change("auto_shutdown_bug", "Does a new auto-shutdown timeout take while auto-shutdown is on?"),
    Change("strict_bodies", "Is a body with an unknown field refused?"),
    Change("console_rules", "Are the console's rules for timeouts and snapshots enforced?"),
    Change("start_on_create", "Does a new machine start by itself?"),
    Change("public_ip_type", "Which public address does a new machine get by itself?"),
    Change("patch_without_body", "How is a PATCH answered that declares JSON and sends none?"),
    Change("busy_refusal", "How is power refused while an event runs?"),
    Change("empty_update", "How is a PUT answered that names no field?"),
    Change("concurrent_updates", "What becomes of two updates at once?"),
    Change("idempotency_key", "Is a create that is sent twice done once?"),
    Change("repeated_grant", "How is a second grant to the same person answered?"),
)
"""Asked about by nobody here: each would change the account."""
# fmt: on

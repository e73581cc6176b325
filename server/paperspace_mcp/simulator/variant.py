"""The points where public sources disagree or say nothing: the double can be built either way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints


@dataclass
class Variant:
    """One reading of the open questions. The defaults are the readings with the best evidence."""

    default_limit: int = 20
    """Items on a page when `limit` is not sent; the reference gives no default."""
    next_page_on_last: Literal["null", "absent", "empty"] = "null"
    """The reference types nextPage as an optional string and says null in its text; clients accept all three."""
    digits_as_strings: bool = True
    """ram, storageTotal, storageUsed and accelerator memory as JSON strings (seen in Nov 2024), not integers."""
    long_regions: bool = False
    """Answer "East Coast (NY2)" (seen in Nov 2024) instead of "ny2"."""
    omit_null_accelerators: bool = False
    """accelerators is the only machine field that is not required: leave it out instead of sending null."""
    resize_refusal: Literal[400, 412] = 400
    """HTTP status for resizing a machine that is not off."""
    delete_needs_off: bool = False
    """The docs say to turn the machine off first; a public client deletes in any state."""
    auto_shutdown_bug: bool = False
    """A new autoShutdownTimeout or autoShutdownForce does not take while auto-shutdown stays enabled."""
    tombstones_listed: bool = True
    """A removed accessor stays readable, with dtDeleted set, instead of disappearing."""
    desktop_when_off: bool = False
    """Whether a machine that is not running still answers its desktop settings (else `{}`)."""
    open_disk_size: bool = False
    """Accept any diskSize above zero, as the 2024 description did, beside the ten documented sizes."""
    fold_machine_type: bool = True
    """Accept `a100-80g` for `A100-80G`, as the provider's own samples send it."""
    strict_bodies: bool = False
    """Refuse unknown body keys (the schema says so) instead of ignoring them (the provider's samples rely on it)."""
    console_rules: bool = False
    """Enforce the console's rules: timeout 1, 8, 24 or 168 hours, save count 1-9, snapshots need both fields."""
    start_on_create: bool = True
    """Default of startOnCreate."""
    public_ip_type: Literal["static", "dynamic", "none"] = "dynamic"
    """Default of publicIpType."""
    validation_errors: Literal["issues", "details", "bare"] = "issues"
    """Where a refused input is explained: the reference says `details`, the provider's own client reads `issues`."""
    not_found_text: Literal["same", "its own"] = "same"
    """Whether an unknown machine is refused in the words of an unknown path."""
    session_without_key: Literal["null", "401"] = "null"
    """What `auth/session` says of a wrong key."""
    strict_queries: bool = False
    """Refuse unknown query parameters instead of ignoring them."""
    repeated_query: Literal["first", "last"] = "first"
    """Which of two equal query parameters counts."""
    name_filter: Literal["contains", "prefix", "exact"] = "contains"
    """How `name` filters machines; clients of others only show that it is not equality."""
    name_filter_folds: bool = False
    """Whether `name` filters without regard to case."""
    long_region_filter: bool = True
    """Whether "East Coast (NY2)" filters as "ny2" does."""
    cursors: Literal["last id", "opaque"] = "last id"
    """Whether a page's cursor is the id of its last item."""
    unknown_cursor: Literal["empty", "first page", "refused"] = "empty"
    """What follows a cursor that the provider never gave."""
    deleted_machines: Literal["gone", "readable", "listed"] = "gone"
    """Whether a deleted machine can still be read, or is even listed, with dtDeleted set."""
    headless_desktop: Literal["empty", "404"] = "empty"
    """What the desktop of a machine without one is."""
    dates: Literal["milliseconds", "seconds", "offset"] = "milliseconds"
    """How dates are written: 2026-01-02T03:04:05.678Z, without the thousandths, or with +00:00."""
    event_ids: Literal["uuid", "short"] = "uuid"
    """The form of an event's id; only the old API's is known."""
    storage_rate: Literal["month", "hour"] = "month"
    """What `storageRate` is an amount of USD for."""
    free_when_off: bool = False
    """Whether an off machine's `usageRate` is 0."""
    rate_limit_headers: bool = False
    """Whether answers carry how many requests are left."""
    neighbours: bool = True
    """Whether other endpoints than the reference's fifteen are there."""

    def set(self, **readings: Any) -> None:
        """Choose readings by name. Raises ValueError for one that there is not."""
        hints = get_type_hints(type(self))
        for name, value in readings.items():
            if name not in hints:
                raise ValueError(f"no such variant: {name}; there are {', '.join(sorted(hints))}")
            if get_origin(hints[name]) is Literal and value not in get_args(hints[name]):
                raise ValueError(f"{name} is one of {', '.join(map(str, get_args(hints[name])))}")
            if hints[name] in {bool, int} and type(value) is not hints[name]:
                raise ValueError(f"{name} is {hints[name].__name__}")
            setattr(self, name, value)

"""The points where public sources disagree or say nothing: the double can be built either way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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

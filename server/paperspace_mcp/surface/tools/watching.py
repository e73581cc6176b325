"""How a watched event stands, as a view."""

from paperspace_mcp.surface import views
from paperspace_mcp.watch import Watched


def watched_view(watched: Watched) -> views.WatchedView:
    """An event that could not be read has its id and the reason, and nothing invented."""
    machine = watched.machine
    fields = (
        views.event_fields(watched.event)
        if watched.event
        else {"id": views.text(watched.event_id), "name": "", "state": ""}
    )
    started = watched.start
    if started is not None and started.error and not fields.get("error"):
        fields["error"] = views.text(started.error, 512)
    return views.WatchedView(
        **fields,
        verdict=watched.verdict.value,
        elapsed_s=None if watched.elapsed_s is None else round(watched.elapsed_s, 1),
        typical_s=watched.typical_s,
        note=watched.note or None,
        machine_name=views.text(machine.name) if machine else None,
        machine_state=views.text(machine.state, 40) if machine else None,
        public_ip=views.text(machine.public_ip, 64) if machine else None,
    )

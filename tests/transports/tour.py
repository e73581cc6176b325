"""Each tool once, through one connection. The oracle is what reached the provider."""

from typing import Any

from tests.surface.talk import Assistant

from paperspace_mcp.simulator import Simulator

READING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("list_machines", {"states": "off"}),
    ("get_machine", {"machine": "dev-carlos", "response_format": "detailed"}),
    ("list_machine_events", {"machine": "dev-carlos"}),
    ("list_machine_accessors", {"machine": "train-a100"}),
    ("get_machine_accessor", {"machine": "train-a100", "user": "ub3n7q2xd"}),
    ("get_machine_desktop", {"machine": "dev-diya"}),
    ("list_templates", {}),
    ("fleet_summary", {}),
    ("find_waste", {}),
    ("explain_machine", {"machine": "train-h100x8"}),
)


def doing(sim: Simulator, name: str) -> tuple[tuple[str, dict[str, Any], str, str], ...]:
    """Guarded calls on a machine of their own: tool, arguments, and the request that each must become."""
    on = sim.add_machine(name=f"{name}-on", state="ready").id
    off = sim.add_machine(name=f"{name}-off", state="off").id
    rests = sim.add_machine(name=f"{name}-rests", state="off").id
    order = {"machine_type": "A4000", "template_id": "t0nspur5", "region": "ny2", "disk_size_gb": 50}
    return (
        ("create_machine", {"name": f"{name}-new", **order}, "POST", "/machines"),
        ("update_machine", {"machine": off, "auto_snapshot_enabled": True}, "PUT", f"/machines/{off}"),
        ("add_machine_accessor", {"machine": on, "user": "ben@example.com"}, "POST", f"/machines/{on}/accessors"),
        ("remove_machine_accessor", {"machine": on, "user": "ub3n7q2xd"}, "DELETE",
         f"/machines/{on}/accessors/ub3n7q2xd"),
        ("restart_machine", {"machine": f"{name}-on"}, "PATCH", f"/machines/{on}/restart"),
        ("stop_machine", {"machine": on}, "PATCH", f"/machines/{on}/stop"),
        ("delete_machine", {"machine": off}, "DELETE", f"/machines/{off}"),
        ("start_machine", {"machine": rests}, "PATCH", f"/machines/{rests}/start"),
    )  # fmt: skip


async def tour(assistant: Assistant, sim: Simulator, name: str) -> set[str]:
    """Calls every tool; which ones were called."""
    called = set[str]()
    for tool, given in READING:
        reply = await assistant.call(tool, **given)
        assert (next(iter(reply.data)), reply.code) == ("summary", "")
        called.add(tool)
    for tool, given, method, path in doing(sim, name):
        before = len(sim.mutations())
        reply = await assistant.call(tool, **given)
        assert (reply.code, reply.data["changed"]) == ("", True)
        assert [(one.method, one.path, one.status) for one in sim.mutations()[before:]] == [(method, path, 200)]
        called.add(tool)
        if tool == "restart_machine":
            sim.advance(100)
    assert len(assistant.questions) == 8
    await many(assistant, sim, name)
    event_id = reply.data["event"]["id"]
    assert (await assistant.call("get_machine_event", event_id=event_id)).data["event"]["name"] == "start"
    sim.advance(100)
    waited = await assistant.call("wait_for_event", event_ids=event_id)
    assert waited.data["overall"] == "done"
    return called | {"get_machine_event", "wait_for_event", "power_machines"}


async def many(assistant: Assistant, sim: Simulator, name: str) -> None:
    """Two machines, one question."""
    ids = [sim.add_machine(name=f"{name}-many-{number}", state="ready").id for number in range(2)]
    before = len(sim.mutations())
    await assistant.call("power_machines", action="stop", machines=ids)
    assert len(assistant.questions) == 9
    seen = sorted((one.path, one.status) for one in sim.mutations()[before:])  # they need no other, so any order
    assert seen == sorted((f"/machines/{id_}/stop", 200) for id_ in ids)

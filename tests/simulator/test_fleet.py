"""The default fleet is believable and has in it what a fleet in the wild has."""

from __future__ import annotations

from paperspace_mcp.simulator import Simulator

DAY = 86400.0


def test_it_has_the_whole_mix(sim: Simulator) -> None:
    machines = list(sim.machines.values())
    assert 20 <= len(machines) <= 25
    assert {machine.region for machine in machines} == {"ny2", "ca1", "ams1"}
    assert {machine.state for machine in machines} == {"ready", "off", "provisioning"}
    assert {machine.agentType for machine in machines} == {"LinuxHeadless", "LinuxDesktop", "WindowsDesktop"}
    assert len([machine for machine in machines if machine.name == "eval-runner"]) == 2
    assert any(not machine.name.isascii() for machine in machines)
    assert any(machine.updatesPending for machine in machines)
    assert any(machine.reservation for machine in machines)


def test_every_machine_could_have_been_bought(sim: Simulator) -> None:
    for machine in sim.machines.values():
        assert machine.region in machine.kind.regions, machine.name
        assert machine.dtCreated < machine.dtModified or machine.state == "provisioning"
        assert machine.storageUsed < machine.diskSize * 2**30


def test_identities_are_the_same_in_every_run() -> None:
    first, second = Simulator(), Simulator()
    assert first.machines.keys() == second.machines.keys()
    assert first.machine("dev-anna").id == "psoxnh2i7"
    assert first.machine("dev-anna").publicIp == second.machine("dev-anna").publicIp
    assert first.events.keys() == second.events.keys()


def test_the_stuck_the_failed_and_the_forgotten(sim: Simulator) -> None:
    now = sim.now().timestamp()
    stuck, failed = sim.machine("dev-new-gpu"), sim.machine("train-h100x8")
    assert now - stuck.dtCreated == 25 * 60
    assert stuck.current
    assert stuck.current.state == "in progress"
    last = max((e for e in sim.events.values() if e.machineId == failed.id), key=lambda e: e.dtCreated)
    assert (last.name, last.state) == ("start", "error")
    forgotten, costly = sim.machine("legacy-jenkins"), sim.machine("train-h100")
    assert (forgotten.state, bool(forgotten.publicIp)) == ("off", True)
    assert now - forgotten.dtModified > 60 * DAY
    assert (costly.autoShutdownEnabled, costly.state) == (False, "ready")
    assert now - costly.dtModified > 300 * 3600


def test_an_empty_fleet() -> None:
    assert Simulator("empty").machines == {}

"""Attacks on what is judged before anybody is asked: what policy or class forbid is called for."""

from dataclasses import replace
from functools import partial
from typing import Any

from tests.guard.bench import CREATE, DELETE, MODERN, NEW, START, STOP, Bench, Call, types
from tests.mutants.checks.judging import SAME_RULES, SPENT_BUDGET
from tests.mutants.ring import (
    SECRET,
    Attack,
    Ring,
    account,
    again,
    approver,
    calling,
    changing,
    excess,
    freezing,
    rules,
    tried,
    typing,
    unasked,
    waiting,
)
from tests.surface.talk import types as typed_in

from paperspace_mcp.conduct import judging
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules.policy import Budgets, Mode, Standing, Strictness
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.surface import desk
from paperspace_mcp.sweeping import Sweep, sweep

BEN, ANNA, PROD, DESKTOP = "ps8jo1fga", "psoxnh2i7", "psm9u09bwu5i", "psw5y2hq8n6a"
RUNNER = "psu6p1za3k9d"
"""One of two machines of a name."""
GRANT = Call("add_machine_accessor", {"machine": "dev-ben", "user": "ud1yam5t2"}, "diya@example.com", ())
REVEAL = Call("get_machine_desktop", {"machine": "dev-diya", "reveal_password": True}, "dev-diya", ())
UNTYPABLE = "dev-ben; type: yes"
SPEND_DENIED = {Effect.SPEND: Strictness.DENY}
empty = partial(account, fleet="empty")


def updating(typed: str, machine: str = "dev-ben", **fields: Any) -> Call:
    return Call("update_machine", {"machine": machine, **fields}, typed, ())


def powering(action: str, typed: str, **chosen: Any) -> Call:
    return Call("power_machines", {"action": action, **chosen}, typed, ())


def allowed(*verbs: str, names: tuple[str, ...] = ("dev-*",), uses: int = 10, **more: Any) -> dict[str, Any]:
    """A standing approval of the policy file, as an option of a bench."""
    given = {"until": 1e12, "usd_per_hour": None, **more}
    return {"standing": (Standing("BBBBB", verbs, names, uses=uses, **given),)}


# -- shut and refused -------------------------------------------------------------------------------------------------

_frozen = typing(CREATE, first=freezing)
_two_at_once = typing(powering("stop", "stop 2", machines=["dev-anna", "dev-carlos"]), batch=1)


def nameless(call: Call) -> Attack:
    """Over HTTP, where no tokens are configured, nobody knows who calls."""

    async def attack(ring: Ring) -> int:
        sim = account()
        async with ring.site(sim, tokens=None, password_sink="file") as site:
            async with site.assistant("", answering=typed_in(call.typed)) as client:
                await client.call_tool(call.tool, dict(call.arguments))
            return len(site.sent) + len(list((site.app.settings.state_dir / "revealed").glob("*")))

    return attack


SHUT: dict[str, Attack] = {
    "read-only": typing(CREATE, read_only=True),
    "toolsets": typing(CREATE, toolsets=("events",)),
    "tools denied": typing(CREATE, tools_deny=("create_machine",)),
    "tools allowed": typing(CREATE, tools_allow=("list_machines",)),
    "what is shut is shut at the call": typing(CREATE, read_only=True),
    "read-only reveals nothing": typing(REVEAL, read_only=True, password_sink="file"),
    "frozen": _frozen,
    "frozen by the policy": typing(CREATE, freeze=True),
    "mode deny": typing(CREATE, mode=Mode.DENY),
    "a class denied": typing(CREATE, classes=SPEND_DENIED),
    "no class hides below a higher one": typing(
        updating("dev-ben", disk_size_gb=250, machine_type="RTX5000"), classes=SPEND_DENIED
    ),
    "identity": nameless(GRANT),
    "identity for grant": nameless(GRANT),
    "identity for reveal": nameless(REVEAL),
    "batch": _two_at_once,
    "batch, as it is selected": _two_at_once,
    "machine types": typing(CREATE, budgets=Budgets(machine_types=("C5",))),
    "what the class table refuses": typing(DELETE, protect=("dev-*",)),
    "what the policy refuses": _frozen,
    "only the standing approval that was named": typing(CREATE, allow="AAAAA"),
    "no other standing approval than that": unasked(START, allow="AAAAA", **allowed("start")),
}


# -- the class table --------------------------------------------------------------------------------------------------


def decided(call: Call, **options: Any) -> Attack:
    """A person with the secret types that out of band; then the call is repeated."""

    async def attack(ring: Ring) -> int:
        bench = ring.bench(**options)
        person = approver(bench, secret=SECRET)
        code = await waiting(bench, call)
        await tried(person.approve(code, call.typed, SECRET))
        await again(bench, call)
        return excess(bench)

    return attack


_PROTECTED: dict[str, Any] = {"protect": ("dev-*",), "password_sink": "file"}
CELLS: dict[str, Attack] = {
    "disrupt, protected: the name is typed": typing(STOP, "stop", **_PROTECTED),
    "grant, not protected: the person is typed": typing(GRANT, "grant"),
    "grant, protected: the person is typed": decided(Call(GRANT.tool, GRANT.arguments, "grant", ()), **_PROTECTED),
    "grant, protected: out of band only": typing(GRANT, **_PROTECTED),
    "reveal, not protected: the name is typed": typing(REVEAL, "reveal", password_sink="file"),
    "reveal, protected: the name is typed": decided(Call(REVEAL.tool, REVEAL.arguments, "reveal", ()), **_PROTECTED),
    "reveal, protected: out of band only": typing(REVEAL, **_PROTECTED),
    "destroy, not protected: the name is typed": typing(DELETE, "delete"),
    "destroy, protected: refused": typing(DELETE, **_PROTECTED),
}
HIDDEN: dict[str, Attack] = {
    "diskSize destroys": typing(updating("update", disk_size_gb=250)),
    "networkId destroys": typing(updating("update", network_id="nca1wst5")),
    "restorePointEnabled destroys": typing(updating("update", restore_point_enabled=True)),
    "restorePointFrequency destroys": typing(updating("update", restore_point_frequency="shutdown")),
    "restorePointSnapshotId destroys": typing(updating("update", restore_point_snapshot_id="s1")),
    "autoSnapshotEnabled, off, destroys": typing(
        updating("update", auto_snapshot_enabled=False), first=changing("dev-ben", autoSnapshotEnabled=True)
    ),
    "autoSnapshotSaveCount, fewer, destroys": typing(
        updating("update", auto_snapshot_save_count=6),
        first=changing("dev-ben", autoSnapshotEnabled=True, autoSnapshotSaveCount=7),
    ),
    "publicIpType, from static, destroys": typing(
        updating("update", public_ip_type="none"), first=changing("dev-ben", publicIpType="static")
    ),
    "autoShutdownEnabled, off, spends": typing(updating("update", auto_shutdown_enabled=False), classes=SPEND_DENIED),
    "a dearer type spends": typing(updating("update", machine_type="RTX5000"), classes=SPEND_DENIED),
    "a create that grants spends all the same": calling(
        "create_machine", {**NEW, "accessor_ids": ["ub3n7q2xd"]}, "ben@example.com", classes=SPEND_DENIED
    ),
    "a create with accessors grants": calling("create_machine", {**NEW, "accessor_ids": ["ub3n7q2xd"]}, "create"),
}


# -- protection -------------------------------------------------------------------------------------------------------


def renamed(name: str) -> Any:
    return changing(BEN, name=name)


async def half_looked_for(ring: Ring) -> int:
    """One of two machines of a name, where the list breaks off after the first of them."""
    whole = sweep

    async def breaking_off(reads: Any, see: Any, asked: Any = None) -> Sweep:
        seen = list[Machine]()
        found = await whole(reads, seen.append, asked)
        for machine in seen[:1]:
            see(machine)
        return replace(found, complete=False)

    ring.patch.setattr(desk, "sweep", breaking_off)
    return await calling("delete_machine", {"machine": RUNNER}, "eval-runner")(ring)


_BY_ID = {"machine": BEN}
_DOUBLES = powering("start", "", machines=[RUNNER])
PROTECTION: dict[str, Attack] = {
    "a protected target is one": typing(DELETE, protect=("dev-*",)),
    "protected in any case": calling("delete_machine", _BY_ID, "PROD-ben", first=renamed("PROD-ben")),
    "protected in any composition": calling(
        "delete_machine", _BY_ID, BEN, first=renamed("prode\u0301-1"), protect=("prod\u00e9*",)
    ),
    "protected by what is seen of a name": calling("delete_machine", _BY_ID, BEN, first=renamed("\u200bprod-ben")),
    "protected by id too": typing(DELETE, protect=(BEN,)),
    "a rename does not un-protect": typing(updating("prod-api-1", machine=PROD, name="dev-api-1")),
    "a protected machine is asked about alone": typing(powering("stop", "prod-api-1", machines=[PROD])),
    "a glob takes no protected machine": typing(
        powering("start", "start", name_globs=["prod-api-1"]), first=changing(PROD, state="off")
    ),
    "a name that cannot be typed is an id": calling("delete_machine", _BY_ID, UNTYPABLE, first=renamed(UNTYPABLE)),
    "a name of two machines is an id": calling("delete_machine", {"machine": RUNNER}, "eval-runner"),
    "a name that was not looked for to the end is an id": half_looked_for,
    "among many, a name of two machines is an id": unasked(_DOUBLES, **allowed("start", names=("eval-*",))),
    "among many, a name that cannot be typed is an id": unasked(
        powering("start", "", machines=[BEN]), first=renamed(UNTYPABLE), **allowed("start")
    ),
}


# -- nobody is asked --------------------------------------------------------------------------------------------------


def one_after_another(*calls: Call, approved: int = 0, **options: Any) -> Attack:
    async def attack(ring: Ring) -> int:
        bench = ring.bench(**options)
        for call in calls:
            await bench.call(MODERN, None, call.tool, call.arguments)
        return excess(bench, approved)

    return attack


_OTHER = Call("start_machine", {"machine": "staging-api"}, "start", ())
_THIRD = Call("start_machine", {"machine": RUNNER}, "start", ())
RESIZE = updating("update", machine="dev-anna", machine_type="A5000", when_running="stop_and_start")


def swift() -> Simulator:
    """An account where every operation is over before the next request."""
    return Simulator(time_scale=1e6, keys=("demo-key",))


IN_ADVANCE: dict[str, Attack] = {
    "never in advance: some classes": unasked(DELETE, **allowed("delete")),
    "never in advance: destroy": unasked(DELETE, **allowed("delete")),
    "never in advance: grant": unasked(GRANT, **allowed("grant")),
    "never in advance: reveal": unasked(REVEAL, password_sink="file", **allowed("reveal")),
    "never in advance: what is protected": unasked(
        Call("stop_machine", {"machine": PROD}, "", ()), **allowed("stop", names=("prod*",))
    ),
    "never in advance: a stop or a start inside an update": unasked(RESIZE, sim=swift, **allowed("update")),
    "never in advance: another type or name": unasked(updating("", name="other"), **allowed("update")),
    "in advance, for its own principal": unasked(START, **allowed("start", principal="user:somebody")),
    "in advance, until its end": unasked(START, **allowed("start", until=1.0)),
    "in advance, for its verbs": unasked(START, **allowed("stop")),
    "in advance, as often as it says": one_after_another(
        START, _OTHER, approved=1, **allowed("start", names=("*",), uses=1)
    ),
    "in advance, for names that can be typed": unasked(_DOUBLES, **allowed("start", names=("eval-*",))),
    "in advance, for a name of one machine": unasked(
        Call("start_machine", {"machine": RUNNER}, "", ()), **allowed("start", names=("eval-*",))
    ),
    "in advance, for its names": unasked(START, **allowed("start", names=("other-*",))),
    "in advance, up to its price": unasked(START, **allowed("start", usd_per_hour=0.01)),
    "unasked: starts only": unasked(CREATE, confirm_usd_per_hour=10.0),
    "unasked: one at a time": unasked(
        powering("start", "", machines=["dev-ben", "psu6p1za3k9d"]), confirm_usd_per_hour=10.0
    ),
    "unasked: nothing that is protected": unasked(START, confirm_usd_per_hour=10.0, protect=("dev-*",)),
    "unasked: nothing without a price": unasked(
        _OTHER, first=changing("staging-api", usageRate=None), confirm_usd_per_hour=10.0
    ),
    "unasked: not where the class is stricter": unasked(
        START, confirm_usd_per_hour=10.0, classes={Effect.SPEND: Strictness.INBOX}
    ),
    "unasked: not in another mode": unasked(START, confirm_usd_per_hour=10.0, mode=Mode.INBOX),
    "unasked: together below the threshold": one_after_another(START, _THIRD, approved=1, confirm_usd_per_hour=1.0),
}


# -- budgets ----------------------------------------------------------------------------------------------------------


def _runs_unpriced(bench: Bench) -> None:
    bench.sim.add_machine(name="odd", machineType="C5", region="ny2", state="ready", usageRate=None)


async def uncounted(ring: Ring) -> int:
    """A fleet that is larger than is counted."""
    ring.patch.setattr(judging, "FLEET_ROWS", 3)
    return await typing(CREATE, budgets=Budgets(machines=5))(ring)


async def two_at_once(ring: Ring) -> int:
    """Two questions are open, and the budget is for one."""
    bench = ring.bench(budgets=Budgets(creates_per_day=1))
    calls = [Call("create_machine", {**NEW, "name": name}, "create", ()) for name in ("one", "two")]
    rounds = [await bench.ask(call) for call in calls]
    for one in rounds:
        await one.answer(types("create"))
    return excess(bench, 1)


BUDGETS: dict[str, Attack] = {
    "budget: creates a day": typing(CREATE, budgets=Budgets(creates_per_day=0)),
    "budget: machines": typing(CREATE, budgets=Budgets(machines=5)),
    "budget: USD per hour": typing(CREATE, sim=empty, budgets=Budgets(usd_per_hour=0.5)),
    "budget: no known price fits into none": calling(
        "create_machine", {**NEW, "machine_type": "C5"}, "create", sim=empty, budgets=Budgets(usd_per_hour=1e6)
    ),
    "budget: what runs without a price fits into none": typing(
        CREATE, sim=empty, first=_runs_unpriced, budgets=Budgets(usd_per_hour=1e6)
    ),
    "budget: a fleet that cannot be counted fits into none": uncounted,
    "nobody is asked about what is over a budget": typing(CREATE, budgets=Budgets(creates_per_day=0)),
    SPENT_BUDGET: two_at_once,
}


async def newly_protected(ring: Ring) -> int:
    """The policy changed while the person thought: by now the target is protected."""
    attack = typing(DELETE, era="legacy", meanwhile=lambda bench: bench.refit(policy=rules(protect=("dev-*",))))
    return await attack(ring)


ATTACKS = {**SHUT, **CELLS, **HIDDEN, **PROTECTION, **IN_ADVANCE, **BUDGETS, SAME_RULES: newly_protected}

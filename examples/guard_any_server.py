"""The guard without the cloud: a bakery whose ovens an assistant may heat, and scrap only with a person's yes.

Run it: `python examples/guard_any_server.py`. It asks on the terminal; what is typed is compared with the record.
"""

import secrets
import sys
import time
from dataclasses import replace

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard import plans, questions, records
from paperspace_mcp.rules.guard.demands import demand
from paperspace_mcp.rules.guard.plans import Plan, Step, Target
from paperspace_mcp.rules.guard.records import Channel, Record, Status

OVENS = {"oven-1": "hot", "prod-oven": "hot"}


def plan(oven: str) -> Plan:
    target = Target(oven, oven, OVENS[oven], {"heat": OVENS[oven]}, protected=oven.startswith("prod"))
    step = Step("scrap", {"oven": oven}, Effect.DESTROY, target)
    return Plan("scrap_oven", {"oven": oven}, "scrap", (step,), ("SCRAP this oven for good.",))


def record(wish: Plan, code: str, now: float) -> Record:
    wanted = demand(wish)
    if wanted.rule.refused:
        raise PermissionError("a protected oven is never scrapped")
    return Record(
        code, "baker", "bakery", wish.tool, wish.effect, plans.digest(wish.tool, wish.arguments), plans.dump(wish),
        questions.render(wish, wanted, code), wanted.text, Channel.CLIENT, now, now + records.CLIENT_S,
    )  # fmt: skip


def scrap(asked: Record, typed: str) -> tuple[str, Record]:
    """What happened, and the record as it is now: spent before the effect, and never twice."""
    if refused := records.judge(asked, typed, time.time()):
        return refused, asked
    target = plans.load(asked.plan).targets[0]
    if plans.changes(target.fingerprint, {"heat": OVENS[target.id]}):
        return "target_changed", asked
    spent = replace(asked, status=Status.SPENT)
    del OVENS[target.id]
    return "scrapped", spent


if __name__ == "__main__":
    asked = record(plan("oven-1"), secrets.token_hex(2).upper(), time.time())
    print(asked.question)
    typed = sys.stdin.readline()
    done, asked = scrap(asked, typed)
    print(done, "- and the same answer again:", scrap(asked, typed)[0])

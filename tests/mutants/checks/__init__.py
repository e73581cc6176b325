"""The guard's own checks as data: what each is, where it is made, what stands there without it.

Nothing decides by this table. The proof is made from it: each check is taken out in turn, and its attack must come
through then. A sweep holds the table against the code, so that no check is made outside of it.
"""

from tests.mutants.checks.asking import ASKING
from tests.mutants.checks.deciding import DECIDING
from tests.mutants.checks.doing import DOING
from tests.mutants.checks.judging import JUDGING
from tests.mutants.checks.rows import Check

__all__ = ["CHECKS", "Check"]

CHECKS: tuple[Check, ...] = (*JUDGING, *ASKING, *DECIDING, *DOING)
"""All of them, about in the order in which a call meets them."""

"""All families, in the order of the page."""

from tests.proof.wire.budgets import BUDGETS
from tests.proof.wire.family import Family
from tests.proof.wire.fingerprints import FINGERPRINTS
from tests.proof.wire.forged import FORGED
from tests.proof.wire.killed import KILLED
from tests.proof.wire.lost import LOST
from tests.proof.wire.processes import PROCESSES
from tests.proof.wire.replays import REPLAYS
from tests.proof.wire.swaps import SWAPS

FAMILIES: tuple[Family, ...] = (FORGED, REPLAYS, PROCESSES, SWAPS, FINGERPRINTS, LOST, KILLED, BUDGETS)

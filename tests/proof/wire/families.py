"""All families, in the order of the page."""

from tests.proof.shell.family import SHELL
from tests.proof.wire.budgets import BUDGETS
from tests.proof.wire.canaries import CANARIES
from tests.proof.wire.code_points import CODE_POINTS
from tests.proof.wire.family import Family
from tests.proof.wire.fingerprints import FINGERPRINTS
from tests.proof.wire.forged import FORGED
from tests.proof.wire.frames import HANDWRITTEN
from tests.proof.wire.killed import KILLED
from tests.proof.wire.lost import LOST
from tests.proof.wire.names import HOSTILE_NAMES
from tests.proof.wire.paths import PATHS
from tests.proof.wire.processes import PROCESSES
from tests.proof.wire.replays import REPLAYS
from tests.proof.wire.swaps import SWAPS

FAMILIES: tuple[Family, ...] = (
    FORGED,
    HANDWRITTEN,
    REPLAYS,
    PROCESSES,
    SWAPS,
    FINGERPRINTS,
    LOST,
    KILLED,
    BUDGETS,
    PATHS,
    CANARIES,
    CODE_POINTS,
    HOSTILE_NAMES,
    SHELL,
)

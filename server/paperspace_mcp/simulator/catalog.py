"""What the provider sells: machine types with prices and regions, OS templates, networks, the team and its people."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 2**30
REGIONS = {"ny2": "East Coast (NY2)", "ca1": "West Coast (CA1)", "ams1": "Europe (AMS1)"}
_ALL = ("ny2", "ca1", "ams1")
_NY2, _EAST, _AMERICA = ("ny2",), ("ny2", "ams1"), ("ny2", "ca1")

DISK_SIZES = (50, 100, 250, 500, 1000, 2000, 4000, 8000, 12000, 16000)
# 50, 100 and 250 GB are published prices per month; the larger ones go on at the last published step.
_DISK_PRICES = {50: 5.0, 100: 7.0, 250: 10.0, 500: 20.0, 1000: 40.0, 2000: 80.0}


@dataclass(frozen=True)
class MachineType:
    """One row of the price list. gpu_memory and ram in GB, price in USD per hour."""

    label: str
    gpu: str | None
    gpu_memory: int
    gpu_count: int
    cpus: int
    ram: float
    price: float
    regions: tuple[str, ...]

    @property
    def group(self) -> str:
        """The family within which a machine may be resized ("CPU to CPU, AX00 to AX00")."""
        label = self.label
        if label.startswith("C"):
            return "CPU"
        return label.split("-", maxsplit=1)[0].split("x")[0] if label[:4] in {"A100", "H100", "V100"} else label[:1]


def _cpu(label: str, cpus: int, ram: float, price: float) -> MachineType:
    return MachineType(label, None, 0, 0, cpus, ram, price, _ALL)


def _gpu(
    label: str, memory: int, price: float, regions: tuple[str, ...], *, cpus: int = 8, ram: int = 30
) -> MachineType:
    name, _, count = label.partition("x") if label[-2:-1] == "x" else (label, "", "1")
    return MachineType(label, name.split("-")[0], memory, int(count), cpus, ram, price, regions)


# Prices as published in 2026 where a public quote exists; C2-C9 are unknown and interpolated between C1 and C10.
TYPES: dict[str, MachineType] = {
    row.label: row
    for row in (
        _cpu("C1", 1, 0.5, 0.0045),
        _cpu("C2", 1, 1, 0.009),
        _cpu("C3", 2, 2, 0.018),
        _cpu("C4", 2, 4, 0.04),
        _cpu("C5", 4, 8, 0.08),
        _cpu("C6", 8, 16, 0.16),
        _cpu("C7", 12, 30, 0.3),
        _cpu("C8", 16, 60, 0.6),
        _cpu("C9", 24, 120, 1.0),
        _cpu("C10", 32, 244, 1.60),
        _gpu("GPU+", 8, 0.45, _EAST),
        _gpu("P4000", 8, 0.51, _ALL),
        _gpu("P5000", 16, 0.78, _ALL),
        _gpu("P6000", 24, 1.10, _ALL),
        _gpu("RTX4000", 8, 0.56, _ALL),
        _gpu("RTX5000", 16, 0.82, _NY2),
        _gpu("A4000", 16, 0.76, _ALL, ram=45),
        _gpu("A5000", 24, 1.38, _AMERICA, ram=45),
        _gpu("A6000", 48, 1.89, _AMERICA, ram=45),
        _gpu("V100", 16, 2.30, _EAST),
        _gpu("V100-32G", 32, 2.30, _NY2),
        _gpu("V100-32Gx2", 32, 4.60, _NY2, cpus=16, ram=60),
        _gpu("V100-32Gx4", 32, 9.20, _NY2, cpus=32, ram=120),
        _gpu("A100", 40, 3.09, _NY2, cpus=12, ram=90),
        _gpu("A100x4", 40, 12.36, _NY2, cpus=48, ram=360),
        _gpu("A100-80G", 80, 3.18, _NY2, cpus=12, ram=90),
        _gpu("A100-80Gx8", 80, 25.44, _NY2, cpus=96, ram=720),
        _gpu("H100", 80, 3.09, _NY2, cpus=20, ram=250),
        _gpu("H100x8", 80, 24.72, _NY2, cpus=128, ram=1638),
    )
}
_FOLDED = {label.casefold(): row for label, row in TYPES.items()}


def machine_type(label: str, *, fold: bool = True) -> MachineType | None:
    return TYPES.get(label) or (_FOLDED.get(label.casefold()) if fold else None)


def region_code(text: str) -> str:
    """`ny2` from `ny2`, `NY2` or `East Coast (NY2)`: all three were accepted in requests in 2024."""
    folded = text.casefold()
    found = [code for code, long in REGIONS.items() if folded in {code, long.casefold()}]
    return found[0] if found else text


def storage_rate(gigabytes: float) -> float:
    """USD per month for the disk, on or off: the unit the published disk prices have."""
    return _DISK_PRICES.get(int(gigabytes), round(gigabytes * 0.04, 2))


@dataclass(frozen=True)
class Template:
    """An OS template as `GET /os-templates` lists it."""

    id: str
    name: str
    agent_type: str
    system: str
    default_size: int | None
    types: tuple[str, ...]
    created: str = "2023-05-11T16:01:33.000Z"


_NO_BIG = tuple(label for label in TYPES if not label.startswith(("H100", "A100")))
_GPU = tuple(label for label, row in TYPES.items() if row.gpu)
TEMPLATES: dict[str, Template] = {
    row.id: row
    for row in (
        Template("t0nspur5", "Ubuntu 22.04 Server", "LinuxHeadless", "Ubuntu 22.04 Server", None, tuple(TYPES)),
        Template("tkni3aa4", "Ubuntu 20.04 Server", "LinuxHeadless", "Ubuntu 20.04 Server", None, _NO_BIG),
        Template("tiq8mhti", "ML-in-a-Box 22.04", "LinuxHeadless", "Ubuntu 22.04 Server", 100, _GPU),
        Template("tvimtol9", "ML-in-a-Box 20.04", "LinuxHeadless", "Ubuntu 20.04 Server", 100, _GPU),
        Template("tdsk2004", "Ubuntu 20.04 Desktop", "LinuxDesktop", "Ubuntu 20.04 Desktop", 50, _NO_BIG),
        Template("twin10x1", "Windows 10 (Server 2019)", "WindowsDesktop", "Windows Server 2019", 50, _NO_BIG),
        Template("tcent7s1", "CentOS 7 Server", "LinuxHeadless", "CentOS 7 Server", None, _NO_BIG),
    )
}
DEFAULT_TEMPLATE = "t0nspur5"

DEFAULT_NETWORKS = {"ny2": "ndef1ny2", "ca1": "ndef1ca1", "ams1": "ndef1ams"}
PRIVATE_NETWORKS = {"nwhoe4ox": "ny2", "nprodny2": "ny2", "nca1wst5": "ca1", "nams1eu3": "ams1"}


@dataclass(frozen=True)
class User:
    """A team member."""

    id: str
    email: str
    firstName: str | None  # noqa: N815 - the provider's name
    lastName: str | None  # noqa: N815 - the provider's name
    is_admin: bool = False
    is_owner: bool = False
    created: str = "2022-01-17T09:12:44.000Z"


TEAM_ID = "te6hh34n6"
TEAM_NAMESPACE = "acme-ml"
USERS: dict[str, User] = {
    row.id: row
    for row in (
        User("uown3r0k1", "olga@example.com", "Olga", "Stone", is_admin=True, is_owner=True),
        User("ur7p0nb7n", "anna@example.com", "Anna", "Berg", is_admin=True),
        User("ub3n7q2xd", "ben@example.com", "Ben", "Okafor"),
        User("uc4rl0s9f", "carlos@example.com", "Carlos", "Diaz"),
        User("ud1yam5t2", "diya@example.com", "Diya", "Rao"),
        User("u3z4be26", "ci-robot@example.com", None, None),
    )
}
OWNER = "uown3r0k1"

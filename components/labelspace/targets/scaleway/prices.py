"""The monthly cost of a workspace on Scaleway, by part: a dated table, without taxes.

EUR for a month of 730 hours, Paris. Sources: Scaleway's API of products (2026-07-03) for Instances; its price
pages as copied on 2026-09-30 for databases, in 2026 without a day for volumes and addresses.
"""

from __future__ import annotations

from dataclasses import dataclass

from labelspace.spec import ScalewaySpec, SpecError

AS_OF = "2026-09-30"
SERVERS = {
    "DEV1-L": 31.27, "DEV1-XL": 47.51, "PLAY2-MICRO": 40.21, "PRO2-XXS": 40.95, "PRO2-XS": 81.91,
    "PRO2-S": 163.07, "PRO2-M": 326.13, "GP1-XS": 67.76, "GP1-S": 139.24, "POP2-2C-8G": 53.66,
    "POP2-4C-16G": 107.31, "POP2-8C-32G": 211.70, "BASIC3-X2C-8G": 43.23, "BASIC3-X4C-8G": 57.67,
    "BASIC3-X4C-16G": 86.47, "BASIC3-X8C-32G": 172.86, "STANDARD3-X4C-16G": 118.04,
}  # fmt: skip
"""x86 types with at least 8 GiB, which is what CVAT's containers need."""
DATABASES = {
    "DB-DEV-S": 11.39, "DB-DEV-M": 27.89, "DB-DEV-L": 55.19, "DB-PLAY2-PICO": 17.01, "DB-PLAY2-NANO": 31.54,
    "DB-PRO2-XXS": 80.30, "DB-PRO2-XS": 160.60, "DB-POP2-4C-16G": 209.20,
}  # fmt: skip
BY_SIZE = {
    "small": ("DEV1-L", "DB-DEV-S"),
    "medium": ("GP1-XS", "DB-PLAY2-NANO"),
    "large": ("GP1-S", "DB-PRO2-XXS"),
}
"""Default types: the cheapest server with 4/8, 4/16 and 8/32 vCPU/GiB; databases whose price has a date."""
VOLUME_GB = 0.0861
DATABASE_GB = 0.0993
SNAPSHOT_GB = 0.0321
OBJECTS_GB = 0.0161
"""These four: EUR per GB and month."""
SECRET_VERSION = 0.0438
ADDRESS = 2.92
"""These two: EUR each and month."""
ROOT_GB = 20
"""Size of an Instance's root volume."""


@dataclass(frozen=True)
class Part:
    """EUR a month of one part, while the workspace runs and while its server is stopped, in whole cents.

    Whole cents, so that what is shown of the parts adds up to the total that is shown.
    """

    name: str
    running: float
    stopped: float


def _part(name: str, price: float, *, stops: bool = False) -> Part:
    return Part(name, round(price, 2), 0.0 if stops else round(price, 2))


def server_type(spec: ScalewaySpec) -> str:
    """The Instance's commercial type; raises ``SpecError`` for one that is not in the table."""
    chosen = spec.scaleway.server_type or BY_SIZE[spec.size][0]
    return _known("scaleway.server_type", chosen, SERVERS)


def database_type(spec: ScalewaySpec) -> str:
    """The managed database's node type, empty for none; raises ``SpecError`` for one not in the table."""
    if spec.scaleway.database == "server":
        return ""
    chosen = spec.scaleway.database_type or BY_SIZE[spec.size][1]
    return _known("scaleway.database_type", chosen, DATABASES)


def _known(field: str, chosen: str, table: dict[str, float]) -> str:
    if chosen not in table:
        offers = ", ".join(f"{name} ({price:.0f} EUR)" for name, price in table.items())
        raise SpecError([f"{field}: {chosen!r} is not offered: choose one of {offers} a month"])
    return chosen


def monthly_cost(spec: ScalewaySpec) -> tuple[Part, ...]:
    """Every part that is paid by the hour; objects and traffic come on top, by what is stored."""
    server = server_type(spec)
    disks = (spec.scaleway.data_gb + ROOT_GB) * VOLUME_GB
    return (
        _part(f"server {server}", SERVERS[server], stops=True),
        *_managed_database(spec),
        _part(f"volumes, {spec.scaleway.data_gb + ROOT_GB} GB", disks),
        _part("address", ADDRESS),
        _part("secret", SECRET_VERSION),
    )


def _managed_database(spec: ScalewaySpec) -> tuple[Part, ...]:
    database = database_type(spec)
    if not database:
        return ()
    storage = DATABASES[database] + spec.scaleway.database_gb * DATABASE_GB
    size, days = spec.scaleway.database_gb, spec.backup.retention_days
    # a day's snapshot is as large as the volume at most; one stays for each day of the retention
    snapshots = days * size * SNAPSHOT_GB
    return (
        _part(f"database {database} with {size} GB", storage),
        _part(f"snapshots, {days} of up to {size} GB", snapshots),
    )


def total(spec: ScalewaySpec) -> tuple[float, float]:
    """EUR a month: running, and with the server stopped."""
    parts = monthly_cost(spec)
    return round(sum(part.running for part in parts), 2), round(sum(part.stopped for part in parts), 2)


def cost_output(spec: ScalewaySpec) -> dict[str, object]:
    """The cost as a stack's output."""
    running, stopped = total(spec)
    return {
        "eur_per_month_running": running,
        "eur_per_month_stopped": stopped,
        "parts": {part.name: part.running for part in monthly_cost(spec)},
        "objects": f"{OBJECTS_GB} EUR per GB and month, on top",
        "prices_as_of": AS_OF,
    }

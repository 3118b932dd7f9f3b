"""Whether Scaleway has the types that are wished for; asked before an old server is let go for a new one."""

from __future__ import annotations

from typing import Any

from labelspace.spec import ScalewaySpec
from labelspace.targets.scaleway.prices import DATABASES, SERVERS, database_type, server_type
from labelspace_ops.core.errors import UsageError
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.retained import DATABASE, SERVER, Resources, resources_of_type

OUT = "out_of_stock"
SHOWN = 4
"""How many alternatives are named."""


def check(mine: Account, spec: ScalewaySpec, resources: Resources) -> None:
    """Raise ``UsageError`` naming alternatives for a new type that is sold out; one that is had stays."""
    server, database = server_type(spec), database_type(spec)
    if spec.running and server not in _had(resources, SERVER, "type"):
        gone = sold_out_types(mine, f"{spec.scaleway.region}-{spec.scaleway.zone}")
        _refuse("scaleway.server_type", server, gone, SERVERS)
    if database and database not in _had(resources, DATABASE, "nodeType"):
        rows = mine.list_all(f"/rdb/v1/regions/{spec.scaleway.region}/node-types", "node_types")
        gone = {row["name"].upper() for row in rows if row["disabled"] or row["stock_status"] == OUT}
        _refuse("scaleway.database_type", database, gone, DATABASES)


def sold_out_types(mine: Account, zone: str) -> set[str]:
    """Types of Instances that a zone has none of now."""
    pages = mine.pages(f"/instance/v1/zones/{zone}/products/servers/availability", "servers")
    return {name for page in pages for name, one in page.items() if one["availability"] == "shortage"}


def _had(resources: Resources, kind: str, field: str) -> set[Any]:
    """A server whose replacement was refused is in the state still, and gone: its type must be had anew."""
    there = [one for one in resources_of_type(resources, kind) if not one.get("pendingReplacement")]
    return {one["outputs"].get(field) for one in there}


def _refuse(field: str, wanted: str, gone: set[str], table: dict[str, float]) -> None:
    if wanted not in gone:
        return
    raise UsageError(
        f"{field}: {wanted!r} is sold out at Scaleway now: choose {alternatives(wanted, gone, table)}"
        f" (`--set {field}=TYPE`, `labelspace set NAME {field}=TYPE`), or try again later; nothing was"
        " changed"
    )


def alternatives(wanted: str, gone: set[str], table: dict[str, float]) -> str:
    """Those that can be had, nearest in price."""
    had = [name for name in table if name not in gone and name != wanted]
    near = sorted(had, key=lambda name: abs(table[name] - table[wanted]))[:SHOWN]
    return ", ".join(f"{name} ({table[name]:.0f} EUR a month)" for name in near) or "another region"

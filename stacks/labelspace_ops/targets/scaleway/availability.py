"""Stock of server and database types; checked before an update removes the old server."""

from __future__ import annotations

from typing import Any

from labelspace.spec import ScalewaySpec
from labelspace.targets.scaleway.prices import DATABASES, SERVERS, database_type, server_type
from labelspace_ops.core.errors import UsageError
from labelspace_ops.stack.state import stack_outputs
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.answers import NodeType, Stock
from labelspace_ops.targets.scaleway.retained import DATABASE, SERVER, Resources, resources_of_type

OUT_OF_STOCK = "out_of_stock"
SHOWN = 4
"""Number of alternatives that an error names."""


def check(account: Account, spec: ScalewaySpec, resources: Resources) -> None:
    """Raise ``UsageError`` with alternatives for a sold-out type that the workspace does not run yet.

    A stopped server needs stock again when it starts.
    """
    server, database = server_type(spec), database_type(spec)
    runs = stack_outputs(resources).get("running", True)
    if spec.running and not (runs and server in _values_in_use(resources, SERVER, "type")):
        sold_out = sold_out_types(account, f"{spec.scaleway.region}-{spec.scaleway.zone}")
        _check_type("scaleway.server_type", server, sold_out, SERVERS)
    if database and database not in _values_in_use(resources, DATABASE, "nodeType"):
        rows = account.list_all(f"/rdb/v1/regions/{spec.scaleway.region}/node-types", "node_types", NodeType)
        sold_out = {one.name.upper() for one in rows if one.disabled or one.stock_status == OUT_OF_STOCK}
        _check_type("scaleway.database_type", database, sold_out, DATABASES)


def sold_out_types(account: Account, zone: str) -> set[str]:
    """Return the Instance types that are sold out in a zone."""
    stock = account.map_all(f"/instance/v1/zones/{zone}/products/servers/availability", "servers", Stock)
    return {name for name, one in stock.items() if one.availability == "shortage"}


def _values_in_use(resources: Resources, kind: str, field: str) -> set[Any]:
    """Return the values of ``field`` in use; a server whose replacement failed is gone and does not count."""
    existing = [one for one in resources_of_type(resources, kind) if not one.is_to_replace]
    return {one.outputs.get(field) for one in existing}


def _check_type(field: str, chosen: str, sold_out: set[str], table: dict[str, float]) -> None:
    if chosen not in sold_out:
        return
    raise UsageError(
        f"{field}: {chosen!r} is sold out at Scaleway now: choose {alternatives(chosen, sold_out, table)}"
        f" (`--set {field}=TYPE`, `labelspace set NAME {field}=TYPE`), or try again later; nothing was"
        " changed"
    )


def alternatives(chosen: str, sold_out: set[str], table: dict[str, float]) -> str:
    """Return the available types nearest in price, as text."""
    available = [name for name in table if name not in sold_out and name != chosen]
    nearest = sorted(available, key=lambda name: abs(table[name] - table[chosen]))[:SHOWN]
    return ", ".join(f"{name} ({table[name]:.0f} EUR a month)" for name in nearest) or "another region"

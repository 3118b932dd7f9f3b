"""How many more workspaces Scaleway's quotas let an organization have.

The API (``/iam/v1alpha1/quota``) has a name for each quota; its reference and Scaleway's SDKs list none.
Known are those of the types of Instances, with a limit per zone: public code that reads them has
``cp_servers_type_H100_1_80G`` and ``cp_servers_type_L40S_1_48G``, and so do refusals of the API that were
recorded, for types that are called alike with hyphens. Of all else only the default is known, by Scaleway's
page on quotas of organizations. Nothing is matched by guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labelspace.targets.scaleway.prices import BY_SIZE
from labelspace_ops.core.checks import Check
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.checks import check

ZONE = "fr-par-1"


@dataclass(frozen=True)
class Counted:
    """A kind of thing that a workspace takes one of."""

    name: str
    used: Callable[[Account], int]
    quotum: str = ""
    """Its name in the API; empty: not known."""
    default: int = 0
    """What Scaleway's page says (2025-10)."""


def _of_iam(path: str, key: str) -> Callable[[Account], int]:
    return lambda mine: mine.count(f"/iam/v1alpha1/{path}", key, organization_id=mine.organization)


def _servers(kind: str) -> Callable[[Account], int]:
    def used(mine: Account) -> int:
        path = f"/instance/v1/zones/{ZONE}/servers"
        rows = mine.list_all(path, "servers", organization=mine.organization, commercial_type=kind)
        return sum(row["commercial_type"] == kind for row in rows)

    return used


def quotum_of(kind: str) -> str:
    """How the API calls the quota of a type of Instances."""
    return f"cp_servers_type_{kind.replace('-', '_')}"


def _projects(mine: Account) -> int:
    return mine.count("/account/v3/projects", "projects", organization_id=mine.organization)


COUNTED = (
    Counted("IAM applications", _of_iam("applications", "applications"), default=100),
    Counted("IAM policies", _of_iam("policies", "policies"), default=50),
    Counted("API keys", _of_iam("api-keys", "api_keys"), default=50),
    Counted("projects", _projects, default=25),
    *(Counted(f"servers {kind}", _servers(kind), quotum_of(kind)) for kind, _ in BY_SIZE.values()),
)


def examine(mine: Account) -> list[Check]:
    """One check for each kind: how many there are, and may be."""
    try:
        rows = list(mine.list_all("/iam/v1alpha1/quota", "quota", organization_id=mine.organization))
        limits = {str(row["name"]): _limit(row) for row in rows}
        return [_check(mine, one, limits) for one in COUNTED]
    except OpsError as error:
        return [check("quotas", f"not read: {error}", ok=False)]


def _limit(row: dict[str, Any]) -> int | None:
    """That of our zone, or of everywhere; None: unlimited."""
    places = {str(one.get("zone") or one.get("region") or "global"): one for one in row.get("limits") or []}
    mine: dict[str, Any] = next((places[name] for name in (ZONE, ZONE[:-2], "global") if name in places), {})
    limit = mine.get("limit")
    return None if limit is None else int(limit)


def _check(mine: Account, one: Counted, limits: dict[str, int | None]) -> Check:
    name, used = f"quota of {one.name}", one.used(mine)
    if not one.quotum:
        said = f"{used} used of {one.default} by default; how the API calls this quota is not known"
        return check(name, f"{said}: what yours is stands in Scaleway's console", ok=True)
    if one.quotum not in limits:
        return check(name, f"{used} used; the API lists no {one.quotum}: see Scaleway's console", ok=True)
    limit = limits[one.quotum]
    if limit is None:
        return check(name, f"{used} used, unlimited", ok=True)
    more = "" if used < limit else ": a workspace takes one more: ask Scaleway for a higher quota"
    return check(name, f"{used} of {limit} used{more}", ok=used < limit)

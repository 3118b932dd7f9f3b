"""Scaleway's quotas: whether an organization can have one more workspace.

The API (``/iam/v1alpha1/quota``) names each quota; neither its reference nor Scaleway's SDKs list the names.
Only the names of Instance types are known, with a limit per zone: public code that reads them has
``cp_servers_type_H100_1_80G`` and ``cp_servers_type_L40S_1_48G``, recorded refusals of the API have the same
form, and the types have the same names with hyphens. For all others only the default is known, from
Scaleway's page on quotas of organizations. No name is guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labelspace.targets.scaleway.prices import BY_SIZE
from labelspace_ops.core.checks import Check
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.answers import Quota, ServerType
from labelspace_ops.targets.scaleway.checks import check

ZONE = "fr-par-1"
"""Where the quotas of server types are read: the first zone of the default region."""


@dataclass(frozen=True)
class Counted:
    """A kind of resource that each workspace needs one of."""

    name: str
    used: Callable[[Account], int]
    api_name: str = ""
    """The quota's name in the API; empty: not known."""
    default: int = 0
    """Default limit of Scaleway's page (2025-10)."""


def _listed(path: str) -> Callable[[Account], int]:
    return lambda account: account.count(path, organization_id=account.organization)


def _servers(kind: str) -> Callable[[Account], int]:
    def used(account: Account) -> int:
        path = f"/instance/v1/zones/{ZONE}/servers"
        query = {"organization": account.organization, "commercial_type": kind}
        return sum(
            one.commercial_type == kind for one in account.list_all(path, "servers", ServerType, **query)
        )

    return used


def quota_name(kind: str) -> str:
    """Return the API's name of the quota of an Instance type."""
    return f"cp_servers_type_{kind.replace('-', '_')}"


COUNTED = (
    Counted("IAM applications", _listed("/iam/v1alpha1/applications"), default=100),
    Counted("IAM policies", _listed("/iam/v1alpha1/policies"), default=50),
    Counted("API keys", _listed("/iam/v1alpha1/api-keys"), default=50),
    Counted("projects", _listed("/account/v3/projects"), default=25),
    *(Counted(f"servers {kind} in {ZONE}", _servers(kind), quota_name(kind)) for kind, _ in BY_SIZE.values()),
)


def examine(account: Account) -> list[Check]:
    """Return a check for each kind, with the used number and the limit."""
    try:
        organization = {"organization_id": account.organization}
        rows = account.list_all("/iam/v1alpha1/quota", "quota", Quota, **organization)
        limits = {row.name: _limit(row) for row in rows}
        return [_check(account, one, limits) for one in COUNTED]
    except OpsError as error:
        return [check("quotas", f"not read: {error}", ok=False)]


def _limit(row: Quota) -> int | None:
    """Return the limit of ``ZONE``, else of its region or of all; None: unlimited."""
    limits = {one.zone or one.region or "global": one.limit for one in row.limits}
    return next((limits[name] for name in (ZONE, ZONE[:-2], "global") if name in limits), None)


def _check(account: Account, one: Counted, limits: dict[str, int | None]) -> Check:
    name, used = f"quota of {one.name}", one.used(account)
    if not one.api_name:
        detail = f"{used} used of {one.default} by default; the API's name of this quota is not known"
        return check(name, f"{detail}: see your limit in Scaleway's console", ok=True)
    if one.api_name not in limits:
        return check(name, f"{used} used; the API lists no {one.api_name}: see Scaleway's console", ok=True)
    limit = limits[one.api_name]
    if limit is None:
        return check(name, f"{used} used, unlimited", ok=True)
    hint = "" if used < limit else ": a workspace takes one more: ask Scaleway for a higher quota"
    return check(name, f"{used} of {limit} used{hint}", ok=used < limit)

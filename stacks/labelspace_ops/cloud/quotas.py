"""How many more workspaces Scaleway's quotas let an organization have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labelspace.scaleway.prices import BY_SIZE
from labelspace_ops.checks import Check
from labelspace_ops.cloud.account import Account
from labelspace_ops.cloud.checks import check
from labelspace_ops.errors import OpsError


@dataclass(frozen=True)
class Counted:
    """A kind of thing that a workspace takes one of."""

    name: str
    words: tuple[str, ...]
    """A quota is the one of this kind when its name has them all; Scaleway's SDK does not list the names."""
    used: Callable[[Account], int]


def _of_iam(path: str, key: str) -> Callable[[Account], int]:
    return lambda mine: mine.count(f"/iam/v1alpha1/{path}", key, organization_id=mine.organization)


def _servers(kind: str) -> Callable[[Account], int]:
    def used(mine: Account) -> int:
        path = "/instance/v1/zones/fr-par-1/servers"
        rows = mine.every(path, "servers", organization=mine.organization, commercial_type=kind)
        return sum(row["commercial_type"] == kind for row in rows)

    return used


COUNTED = (
    Counted("IAM applications", ("application",), _of_iam("applications", "applications")),
    Counted("IAM policies", ("polic",), _of_iam("policies", "policies")),
    Counted("API keys", ("api", "key"), _of_iam("api-keys", "api_keys")),
    Counted(
        "projects",
        ("project",),
        lambda mine: mine.count("/account/v3/projects", "projects", organization_id=mine.organization),
    ),
    *(Counted(f"servers {kind}", (kind,), _servers(kind)) for kind, _ in BY_SIZE.values()),
)


def examine(mine: Account) -> list[Check]:
    """One check for each kind: how many there are, and may be."""
    try:
        rows = list(mine.every("/iam/v1alpha1/quota", "quota", organization_id=mine.organization))
        limits = {str(row["name"]): _limit(row) for row in rows}
        return [_check(mine, one, limits) for one in COUNTED]
    except OpsError as error:
        return [check("quotas", f"not read: {error}", ok=False)]


def _limit(row: dict[str, Any]) -> int | None:
    """The smallest of all places; None: unlimited."""
    limits = row.get("limits")
    known = (
        [one["limit"] for one in limits if one.get("limit") is not None] if isinstance(limits, list) else []
    )
    return min(known) if known else None


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _check(mine: Account, one: Counted, limits: dict[str, int | None]) -> Check:
    named = [name for name in limits if all(_plain(word) in _plain(name) for word in one.words)]
    name = f"quota of {one.name}"
    if not named:
        return check(name, "the API lists no such quota: see Scaleway's console", ok=True)
    limit, used = limits[min(named, key=len)], one.used(mine)
    if limit is None:
        return check(name, f"{used} used, unlimited", ok=True)
    more = "" if used < limit else ": a workspace takes one more: ask Scaleway for a higher quota"
    return check(name, f"{used} of {limit} used{more}", ok=used < limit)

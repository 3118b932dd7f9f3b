"""What the key may do at Scaleway, by the names of IAM's permission sets."""

from __future__ import annotations

from collections.abc import Iterator

from labelspace_ops.core.checks import Check
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.checks import check

OF_THE_PROJECT = {
    "ObjectStorageFullAccess": "buckets",
    "RelationalDatabasesFullAccess": "a managed database",
    "InstancesFullAccess": "server, address, firewall",
    "BlockStorageFullAccess": "the data volume",
    "VPCFullAccess": "the network around the private one",
    "PrivateNetworksFullAccess": "the private network",
    "IPAMReadOnly": "private addresses",
    "SecretManagerFullAccess": "the server's secrets",
}
OF_THE_ORGANIZATION = {
    "IAMApplicationManager": "the server's application and key",
    "IAMPolicyManager": "the server's rights",
}
"""Permission set -> what it is for (composed from Scaleway's documentation)."""
WITH_A_ZONE, WITH_A_PROJECT = "DomainsDNSFullAccess", "ProjectManager"
"""Needed with ``dns_zone``, and with ``project: own``."""
ALSO = {
    "IPAMReadOnly": ("IPAMFullAccess", "AllProductsReadOnly"),
    "IAMApplicationManager": ("IAMManager",),
    "IAMPolicyManager": ("IAMManager",),
    "ProjectManager": ("OrganizationManager",),
}
"""Sets that hold another one."""
EVERYTHING, ALL = "AllProductsFullAccess", "all projects"

Held = set[tuple[str, str]]
"""Permission sets with their scope: a project's id, or ``ALL``."""


def permission_names() -> str:
    """All that are needed, for people."""
    zone = f"{WITH_A_ZONE} (with dns_zone)"
    return ", ".join([*OF_THE_PROJECT, zone, *OF_THE_ORGANIZATION, f"{WITH_A_PROJECT} (with project: own)"])


def examine(mine: Account) -> list[Check]:
    """A check for each set that is needed, and one for what a project of its own needs besides."""
    try:
        kind, identity = mine.identity()
        if kind == "user_id" and mine.get(f"/iam/v1alpha1/users/{identity}")["type"] == "owner":
            return [check("rights", "the organization's owner may do everything", ok=True)]
        held = set(_held(mine, kind, identity))
    except OpsError as error:
        return [check("rights", f"not read ({error}); needed: {permission_names()}", ok=False)]
    needed = {**OF_THE_PROJECT, **OF_THE_ORGANIZATION}
    return [*(_right(mine, held, name, use) for name, use in needed.items()), _own_projects(held)]


def _held(mine: Account, kind: str, identity: str) -> Iterator[tuple[str, str]]:
    """By policies of the key's owner, and of the groups that it is in."""
    organization = {"organization_id": mine.organization}
    members = {"application_id": "application_ids", "user_id": "user_ids"}[kind]
    groups = mine.list_all("/iam/v1alpha1/groups", "groups", **organization, **{members: identity})
    principals = [(members, identity), *(("group_ids", str(group["id"])) for group in groups)]
    for word, who in principals:
        for policy in mine.list_all("/iam/v1alpha1/policies", "policies", **organization, **{word: who}):
            for rule in mine.list_all("/iam/v1alpha1/rules", "rules", policy_id=str(policy["id"])):
                scopes = rule.get("project_ids") or [ALL]
                yield from ((name, scope) for name in rule["permission_set_names"] or [] for scope in scopes)


def _has(held: Held, name: str, *scopes: str) -> bool:
    product = name in OF_THE_PROJECT or name == WITH_A_ZONE
    sets = (name, *ALSO.get(name, ()), *((EVERYTHING,) if product else ()))
    return any((one, scope) in held for one in sets for scope in scopes)


def _right(mine: Account, held: Held, name: str, use: str) -> Check:
    scopes = (mine.project, ALL) if name in OF_THE_PROJECT else (ALL,)
    where = f"project {mine.project}" if name in OF_THE_PROJECT else "the organization"
    if _has(held, name, *scopes):
        return check(f"right {name}", f"for {use}", ok=True)
    return check(
        f"right {name}",
        f"no policy of this key gives it in {where}; it is for {use}: add it in Scaleway's console (IAM)",
        ok=False,
    )


def _own_projects(held: Held) -> Check:
    missing = [name for name in (*OF_THE_PROJECT, WITH_A_PROJECT) if not _has(held, name, ALL)]
    said = f"in all projects are missing: {', '.join(missing)}" if missing else "may be made and filled"
    return check("project: own", f"{said}; a workspace in the shared project needs none", ok=True)

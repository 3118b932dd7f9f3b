"""The permission sets (Scaleway IAM) that the key has and needs."""

from __future__ import annotations

from collections.abc import Iterator

from labelspace_ops.core.checks import Check
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.answers import Rule, Tagged, User
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
"""Permission set -> what needs it (composed from Scaleway's documentation)."""
WITH_A_ZONE, WITH_A_PROJECT = "DomainsDNSFullAccess", "ProjectManager"
"""Needed with ``dns_zone``; needed with ``project: own``."""
INCLUDED_IN = {
    "IPAMReadOnly": ("IPAMFullAccess", "AllProductsReadOnly"),
    "IAMApplicationManager": ("IAMManager",),
    "IAMPolicyManager": ("IAMManager",),
    "ProjectManager": ("OrganizationManager",),
}
"""Permission set -> sets that include it."""
FULL_ACCESS, ALL = "AllProductsFullAccess", "all projects"

Grants = set[tuple[str, str]]
"""Pairs of a permission set and its scope: a project's id, or ``ALL``."""


def permission_names() -> str:
    """Return all needed permission sets as text."""
    zone = f"{WITH_A_ZONE} (with dns_zone)"
    return ", ".join([*OF_THE_PROJECT, zone, *OF_THE_ORGANIZATION, f"{WITH_A_PROJECT} (with project: own)"])


def examine(account: Account) -> list[Check]:
    """Return a check for each needed set, and one for the additional sets of ``project: own``."""
    try:
        kind, identity = account.identity()
        if kind == "user_id" and account.get(f"/iam/v1alpha1/users/{identity}", User).type == "owner":
            return [check("rights", "the organization's owner may do everything", ok=True)]
        grants = set(_grants(account, kind, identity))
    except OpsError as error:
        return [check("rights", f"not read ({error}); needed: {permission_names()}", ok=False)]
    needed = {**OF_THE_PROJECT, **OF_THE_ORGANIZATION}
    return [*(_right(account, grants, name, use) for name, use in needed.items()), _own_projects(grants)]


def _grants(account: Account, kind: str, identity: str) -> Iterator[tuple[str, str]]:
    """Yield the sets that policies give to the key's owner and to its groups."""
    organization = {"organization_id": account.organization}
    members = {"application_id": "application_ids", "user_id": "user_ids"}[kind]
    groups = account.list_all("/iam/v1alpha1/groups", "groups", Tagged, **organization, **{members: identity})
    principals = [(members, identity), *(("group_ids", group.id) for group in groups)]
    for filter_name, principal in principals:
        for policy in account.list_all(
            "/iam/v1alpha1/policies", "policies", Tagged, **organization, **{filter_name: principal}
        ):
            for rule in account.list_all("/iam/v1alpha1/rules", "rules", Rule, policy_id=policy.id):
                scopes = rule.project_ids or (ALL,)
                yield from ((name, scope) for name in rule.permission_set_names for scope in scopes)


def _has(grants: Grants, name: str, *scopes: str) -> bool:
    product = name in OF_THE_PROJECT or name == WITH_A_ZONE
    sets = (name, *INCLUDED_IN.get(name, ()), *((FULL_ACCESS,) if product else ()))
    return any((one, scope) in grants for one in sets for scope in scopes)


def _right(account: Account, grants: Grants, name: str, use: str) -> Check:
    scopes = (account.project, ALL) if name in OF_THE_PROJECT else (ALL,)
    where = f"project {account.project}" if name in OF_THE_PROJECT else "the organization"
    if _has(grants, name, *scopes):
        return check(f"right {name}", f"for {use}", ok=True)
    return check(
        f"right {name}",
        f"no policy of this key gives it in {where}; it is for {use}: add it in Scaleway's console (IAM)",
        ok=False,
    )


def _own_projects(grants: Grants) -> Check:
    missing = [name for name in (*OF_THE_PROJECT, WITH_A_PROJECT) if not _has(grants, name, ALL)]
    detail = (
        f"missing in all projects: {', '.join(missing)}" if missing else "projects can be created and used"
    )
    return check("project: own", f"{detail}; a workspace in the shared project needs none", ok=True)

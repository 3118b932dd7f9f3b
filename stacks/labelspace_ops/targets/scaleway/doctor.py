"""Checks whether a Scaleway account can run a workspace."""

from __future__ import annotations

from labelspace.home import Home
from labelspace_ops.core.checks import Check
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway import account, credentials_check, permissions, quotas
from labelspace_ops.targets.scaleway.answers import Answer
from labelspace_ops.targets.scaleway.checks import check


def examine(home: Home) -> list[Check]:
    """Check the sources of the keys, their access to the API, their permissions and the quotas."""
    cloud, checks = credentials_check.examine(credentials_check.stack_credentials(home))
    if cloud is None:
        return checks
    return [*checks, *_reads(cloud), *permissions.examine(cloud), *quotas.examine(cloud)]


def _reads(cloud: account.Account) -> list[Check]:
    """Check for each product that the key may list its resources."""
    project = {"project_id": cloud.project}
    region, zone = "regions/fr-par", "zones/fr-par-1"
    reads: dict[str, tuple[str, dict[str, str]]] = {
        "IAM": (f"/iam/v1alpha1/api-keys/{cloud.access_key}", {}),
        "Instances": (f"/instance/v1/{zone}/servers", {"project": cloud.project}),
        "databases": (f"/rdb/v1/{region}/instances", project),
        "private networks": (f"/vpc/v2/{region}/private-networks", project),
        "block volumes": (f"/block/v1/{zone}/volumes", project),
        "secrets": (f"/secret-manager/v1beta1/{region}/secrets", project),
    }
    return [_may_read(cloud, name, path, query) for name, (path, query) in reads.items()]


def _may_read(cloud: account.Account, name: str, path: str, query: dict[str, str]) -> Check:
    try:
        cloud.get(path, Answer, **query)
    except OpsError as error:
        return check(name, f"{error}; permission sets: {permissions.permission_names()}", ok=False)
    return check(name, "the key may read them", ok=True)

"""Whether an account at Scaleway can run a workspace, check by check."""

from __future__ import annotations

from typing import Any

from labelspace_ops.cloud import account
from labelspace_ops.errors import OpsError

RIGHTS = {
    "project": (
        "ObjectStorageFullAccess",
        "RelationalDatabasesFullAccess",
        "InstancesFullAccess",
        "BlockStorageFullAccess",
        "VPCFullAccess",
        "PrivateNetworksFullAccess",
        "IPAMReadOnly",
        "SecretManagerFullAccess",
        "DomainsDNSFullAccess (with dns_zone)",
    ),
    "organization": ("IAMApplicationManager", "IAMPolicyManager"),
}
"""Permission sets that whoever provisions needs (composed from Scaleway's documentation)."""


def examine() -> list[dict[str, Any]]:
    """The account, check by check: presence, form, and whether the API takes the key for each product."""
    try:
        mine = account.find()
    except OpsError as error:
        return [{"name": "Scaleway account", "ok": False, "detail": str(error)}]
    project = f"project_id={mine.project}"
    region, zone = "regions/fr-par", "zones/fr-par-1"
    reads = {
        "IAM": f"/iam/v1alpha1/api-keys/{mine.access_key}",
        "Instances": f"/instance/v1/{zone}/servers?project={mine.project}",
        "databases": f"/rdb/v1/{region}/instances?{project}",
        "private networks": f"/vpc/v2/{region}/private-networks?{project}",
        "block volumes": f"/block/v1/{zone}/volumes?{project}",
        "secrets": f"/secret-manager/v1beta1/{region}/secrets?{project}",
    }
    return [
        {"name": "Scaleway account", "ok": True, "detail": "keys are set"},
        *(_may_read(mine, name, path) for name, path in reads.items()),
    ]


def _may_read(mine: account.Account, name: str, path: str) -> dict[str, Any]:
    try:
        mine.ask(path)
    except OpsError as error:
        sets = ", ".join(RIGHTS["organization"] if name == "IAM" else RIGHTS["project"])
        return {"name": f"Scaleway {name}", "ok": False, "detail": f"{error}; permission sets: {sets}"}
    return {"name": f"Scaleway {name}", "ok": True, "detail": "the key may read them"}

"""The certificate of the managed database: whether the server has the one that is in use."""

from __future__ import annotations

import re

from labelspace.targets.scaleway.boot_config import fingerprint
from labelspace.targets.scaleway.cloud_init import DATABASE_CERTIFICATE
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.answers import DatabaseCertificate
from labelspace_ops.targets.scaleway.database_snapshots import database
from labelspace_ops.targets.scaleway.retained import SERVER, Resources, resources_of_type


def is_renewed(account: Account, resources: Resources) -> bool:
    """Return whether the database has another certificate than the one that the server was made with."""
    managed, at_boot = database(resources), _fingerprint_at_boot(resources)
    if managed is None or not at_boot:
        return False
    path = f"{managed.path}/instances/{managed.id}/certificate"
    now = account.get_or_none(path, DatabaseCertificate)
    return now is not None and fingerprint(now.content) != at_boot


def _fingerprint_at_boot(resources: Resources) -> str:
    """Read it in the server's user data; empty for a server that has none."""
    servers = resources_of_type(resources, SERVER)
    user_data = servers[0].outputs.get("userData") if servers else None
    text = str(user_data.get("cloud-init")) if isinstance(user_data, dict) else ""
    found = re.search(rf"{DATABASE_CERTIFICATE}=([0-9a-f]+)", text)
    return found[1] if found else ""

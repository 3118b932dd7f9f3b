"""Generated passwords of a workspace: secret in Pulumi's state, unchanged by later updates."""

from __future__ import annotations

import pulumi
import pulumi_random as random

from labelspace.cvat.services import Secrets
from labelspace.given import Given
from labelspace.spec import AdminSpec


def random_password(parent: pulumi.Resource, prefix: str, what: str, length: int = 40) -> pulumi.Output[str]:
    """A generated password of letters and digits, which need no quoting in any file.

    ``prefix``: the parent's resource name.
    """
    made = random.RandomPassword(
        f"{prefix}-{what}", length=length, special=False, opts=pulumi.ResourceOptions(parent=parent)
    )
    return made.result


def workspace_secrets(
    parent: pulumi.Resource,
    prefix: str,
    admin: Given[AdminSpec],
    *,
    database: pulumi.Input[str] | None = None,
) -> Secrets:
    """Every password of a workspace; those not given are generated as children of ``parent``."""
    return Secrets(
        database=database if database is not None else random_password(parent, prefix, "database"),
        redis=random_password(parent, prefix, "redis"),
        cache=random_password(parent, prefix, "cache"),
        django=random_password(parent, prefix, "django", length=50),
        admin=_admin_password(parent, prefix, admin),
    )


def _admin_password(parent: pulumi.Resource, prefix: str, admin: Given[AdminSpec]) -> pulumi.Output[str]:
    if admin.known.password is None:
        return random_password(parent, prefix, "admin", length=20)
    return pulumi.Output.secret(admin.map(_password))


def _password(admin: AdminSpec) -> str:
    return admin.password.get_secret_value() if admin.password else ""

"""Generated passwords of a workspace: secret in Pulumi's state, unchanged by later updates."""

from __future__ import annotations

import pulumi
import pulumi_random as random

from labelspace.cvat.services import Secrets
from labelspace.password_policy import password_problem
from labelspace.spec import AdminSpec, SpecError


def random_password(
    parent: pulumi.Resource, workspace: str, what: str, length: int = 40
) -> pulumi.Output[str]:
    """A generated password of letters and digits, which need no quoting in any file."""
    made = random.RandomPassword(
        f"{workspace}-{what}", length=length, special=False, opts=pulumi.ResourceOptions(parent=parent)
    )
    return made.result


def workspace_secrets(
    parent: pulumi.Resource,
    workspace: str,
    admin: AdminSpec,
    *,
    admin_password: pulumi.Input[str] | None,
    database: pulumi.Input[str] | None = None,
) -> Secrets:
    """Every password of a workspace; those not given are generated as children of ``parent``."""
    return Secrets(
        database=database if database is not None else random_password(parent, workspace, "database"),
        redis=random_password(parent, workspace, "redis"),
        cache=random_password(parent, workspace, "cache"),
        django=random_password(parent, workspace, "django", length=50),
        admin=_admin_password(parent, workspace, admin, admin_password),
    )


def _admin_password(
    parent: pulumi.Resource, workspace: str, admin: AdminSpec, given: pulumi.Input[str] | None
) -> pulumi.Output[str]:
    if given is not None and admin.password is not None:
        raise SpecError(["admin_password: admin.password is set as well: give one of the two"])
    if given is not None:
        return pulumi.Output.secret(given).apply(lambda text: _strong(text, admin))
    if admin.password is not None:
        return pulumi.Output.secret(admin.password.get_secret_value())
    return random_password(parent, workspace, "admin", length=20)


def _strong(password: str, admin: AdminSpec) -> str:
    """Check a password that another resource makes, when its value is known."""
    problem = password_problem(password, admin.username, admin.email)
    if problem:
        raise pulumi.RunError(f"admin_password: {problem}")
    return password

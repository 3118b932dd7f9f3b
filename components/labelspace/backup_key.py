"""The key that encrypts a workspace's backups, recorded in its stack and stored in the home."""

from __future__ import annotations

import secrets

import pulumi

from labelspace.given import Given
from labelspace.home import Home
from labelspace.spec import BackupSpec


def recorded_backup_key(
    parent: pulumi.Resource,
    prefix: str,
    workspace: str,
    backup: Given[BackupSpec],
    *,
    after: pulumi.Input[object] = None,
) -> pulumi.Output[str]:
    """The given key, else the recorded one; secret. An update stores it when ``after`` is known."""
    home = Home.find()
    given = pulumi.Output.secret(backup.map(_given_key))
    made = home.stored_backup_key(workspace) or secrets.token_urlsafe(32)
    record = pulumi.Stash(
        f"{prefix}-backup-key",
        input=given.apply(lambda key: key or made),
        opts=recorded_once(parent, secret=["input", "output"]),
    )
    stored = pulumi.Output.all(after, given, record.output).apply(
        lambda values: _stored(home, workspace, str(values[1] or values[2]))
    )
    return pulumi.Output.secret(stored)


def recorded_once(
    parent: pulumi.Resource, *, again: bool = False, secret: list[str] | None = None
) -> pulumi.ResourceOptions:
    """The options of a value that stays as it was first recorded; ``again``: a new value replaces it."""
    return pulumi.ResourceOptions(
        parent=parent,
        ignore_changes=None if again else ["input"],
        replace_on_changes=["input"] if again else None,
        additional_secret_outputs=secret,
    )


def _given_key(backup: BackupSpec) -> str:
    return backup.encryption_key.get_secret_value() if backup.encryption_key else ""


def _stored(home: Home, workspace: str, key: str) -> str:
    if not pulumi.runtime.is_dry_run():
        try:
            home.made_backup_key(workspace, key)
        except ValueError as error:
            raise pulumi.RunError(str(error)) from None
    return key

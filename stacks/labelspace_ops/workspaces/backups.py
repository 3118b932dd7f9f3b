"""Access to the backups of a workspace on any target."""

from __future__ import annotations

from labelspace.home import Home
from labelspace_ops.backup.base import Backups
from labelspace_ops.stack import automation as stack
from labelspace_ops.targets import registry


def for_workspace(name: str, home: Home) -> Backups:
    """Return the backups of an existing workspace; raises ``OpsError`` when there is no such workspace."""
    selected = stack.select(name, home)
    return registry.get(stack.target(selected)).backups(name, home, stack.read_settings(selected))

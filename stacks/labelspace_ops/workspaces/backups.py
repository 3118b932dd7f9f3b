"""Backups of a workspace, whatever its target."""

from __future__ import annotations

from labelspace.home import Home
from labelspace_ops.backup.base import Backups
from labelspace_ops.stack import automation as stack
from labelspace_ops.targets import registry


def for_workspace(name: str, home: Home) -> Backups:
    """Backups of a workspace that exists, by its settings."""
    chosen = stack.select(name, home)
    return registry.get(stack.target(chosen)).backups(name, home, stack.read_settings(chosen))

"""What a workspace is right now: measured when asked, never stored."""

from __future__ import annotations

from typing import Any

from labelspace.home import Home
from labelspace_ops.stack import state
from labelspace_ops.targets import registry


def get(name: str, home: Home) -> dict[str, Any]:
    """The status object of a workspace, whatever its target."""
    return registry.for_workspace(name, home).status(name, state.resources(name, home), home)

"""Names and labels of a workspace's containers and volumes on a Docker engine."""

from __future__ import annotations

WORKSPACE_LABEL = "labelspace.workspace"
PART_LABEL = "labelspace.part"


def resource_name(workspace: str, part: str) -> str:
    """The Docker name of a container, network or volume."""
    return f"labelspace-{workspace}-{part}"

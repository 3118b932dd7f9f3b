"""What a workspace's containers and volumes go by on a Docker engine, wherever that runs."""

from __future__ import annotations

WORKSPACE_LABEL = "labelspace.workspace"
PART_LABEL = "labelspace.part"


def resource_name(workspace: str, part: str) -> str:
    """The Docker name of a container, network or volume."""
    return f"labelspace-{workspace}-{part}"

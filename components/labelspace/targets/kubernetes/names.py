"""Labels and keys by which a workspace's objects are found in a cluster."""

from __future__ import annotations

NAME_LABEL = "app.kubernetes.io/name"
INSTANCE_LABEL = "app.kubernetes.io/instance"
COMPONENT_LABEL = "app.kubernetes.io/component"
"""Recommended labels (kubernetes.io, "Recommended Labels")."""
APPLICATION = "labelspace"
"""The value of ``NAME_LABEL``."""
VOLUMES_LABEL = "labelspace/volumes"
"""The pods of a workspace that have volumes: one node runs them all."""
OFFLINE_LABEL = "labelspace/offline"
"""A pod with it reaches nothing: an operation's own job."""
ONLINE_LABEL = "labelspace/online"
"""A pod with it reaches the world: an operation's job that reads or writes the backups' bucket."""


def labels(workspace: str, component: str) -> dict[str, str]:
    """The labels of a part of a workspace and of its pods."""
    return {NAME_LABEL: APPLICATION, INSTANCE_LABEL: workspace, COMPONENT_LABEL: component}


def file_key(path: str) -> str:
    """A path as the key of a secret, which has no slashes."""
    return path.strip("/").replace("/", ".")


def one_node(workspace: str) -> dict[str, object]:
    """The affinity of a pod with volumes: most classes attach a volume to one node at a time."""
    labels = {INSTANCE_LABEL: workspace, VOLUMES_LABEL: "true"}
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}

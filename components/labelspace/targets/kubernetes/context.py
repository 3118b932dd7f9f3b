"""Where a workspace's objects go in a cluster, and what all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from labelspace.spec.kubernetes import KubernetesSettings
from labelspace.targets.kubernetes import names
from labelspace.targets.kubernetes.names import COMPONENT_LABEL, INSTANCE_LABEL

Manifest = dict[str, Any]
"""An object of the Kubernetes API, or a part of one, as its reference writes it."""


@dataclass(frozen=True)
class ClusterContext:
    """One workspace in one namespace."""

    workspace: str
    prefix: str
    """The names of resources in the stack begin with it."""
    namespace: pulumi.Output[str]
    settings: KubernetesSettings
    parent: pulumi.Resource
    running: bool = True
    created: tuple[pulumi.Resource, ...] = field(default=())
    """What must exist before the first pod, such as the claims of volumes."""

    def resource_name(self, part: str) -> str:
        """The name of a resource in the stack."""
        return f"{self.prefix}-{part}"

    def labels(self, component: str) -> dict[str, str]:
        """The labels of a part and of its pods."""
        return names.labels(self.workspace, component)

    def image(self, name: str) -> str:
        """An image by the name under which this cluster's nodes find it."""
        return f"{self.settings.image_prefix}{name}"

    def metadata(self, component: str, *, name: str = "") -> Manifest:
        """Metadata of an object; without a name, Pulumi appends a random suffix to the resource's name."""
        found: Manifest = {"namespace": self.namespace, "labels": self.labels(component)}
        return {**found, "name": name} if name else found


def selector(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels by which a part's pods are found."""
    return {key: labels[key] for key in (INSTANCE_LABEL, COMPONENT_LABEL)}

"""The claims of a workspace's volumes; what holds annotations or files outlives the stack."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from labelspace.spec.kubernetes import KubernetesSettings
from labelspace.targets.kubernetes.context import ClusterContext

SMALL_GB = {"keys": 1, "logs": 2, "redis": 2, "cache": 5}
"""GiB of the volumes that no setting sizes."""
DISPOSABLE = ("cache",)


def claims(context: ClusterContext) -> list[k8s.core.v1.PersistentVolumeClaim]:
    """A claim for each volume."""
    return [_claim(name, size, context) for name, size in sizes(context.settings).items()]


def sizes(settings: KubernetesSettings) -> dict[str, int]:
    """The size of each volume, in GiB, by its name."""
    return {"data": settings.data_gb, "database": settings.database_gb, **SMALL_GB}


def _claim(name: str, gigabytes: int, context: ClusterContext) -> k8s.core.v1.PersistentVolumeClaim:
    return k8s.core.v1.PersistentVolumeClaim(
        context.resource_name(f"{name}-volume"),
        metadata={
            **context.metadata(name, name=name),
            "annotations": {"pulumi.com/skipAwait": "true"},  # many classes bind when the first pod comes
        },
        spec={
            "access_modes": ["ReadWriteOnce"],
            "storage_class_name": context.settings.storage_class,
            "resources": {"requests": {"storage": f"{gigabytes}Gi"}},
        },
        opts=pulumi.ResourceOptions(parent=context.parent, retain_on_delete=name not in DISPOSABLE),
    )

"""Dataset buckets, mounted on every node by rclone and seen by the workspace's pods as read-only volumes.

A mount needs root and ``SYS_ADMIN``. So the mounts have a namespace of their own, and the pods of CVAT reach
them by a volume: their namespace keeps a policy that forbids both privileges and folders of the node.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from labelspace.cvat.images import IMAGES
from labelspace.cvat.rclone import LIMITS, rclone_conf
from labelspace.given import Given
from labelspace.spec import BucketSpec
from labelspace.targets.kubernetes.context import ClusterContext, Manifest, selector
from labelspace.targets.kubernetes.pods import BUCKETS_CLAIM
from labelspace.targets.kubernetes.scheduling import scheduling

CONFIG = "/run/labelspace"
ROOT = "/mounts"
MEMORY = 512
CVAT_USER = 1000
_MOUNT = f"""\
set -eu
mkdir -p "{ROOT}/$BUCKET" 2>/dev/null || true
while umount -l "{ROOT}/$BUCKET" 2>/dev/null; do :; done
mkdir -p "{ROOT}/$BUCKET"
exec rclone mount "bucket:$BUCKET" "{ROOT}/$BUCKET" --config {CONFIG}/$BUCKET.conf \\
    --read-only --allow-other --uid {CVAT_USER} --gid {CVAT_USER} --dir-cache-time 5m --use-server-modtime
"""
"""A killed rclone leaves a dead mount, which is unmounted first."""
_UNMOUNT = f'umount -l "{ROOT}/$BUCKET"; rmdir "{ROOT}/$BUCKET" || true'


def node_folder(namespace: str) -> str:
    """Where a node has the mounts of a workspace."""
    return f"/var/lib/labelspace/{namespace}"


def mount_namespace(context: ClusterContext, namespace: str) -> k8s.core.v1.Namespace:
    """The namespace of the mounts, which may hold privileged pods."""
    labels = {**context.labels("mounts"), "pod-security.kubernetes.io/enforce": "privileged"}
    return k8s.core.v1.Namespace(
        context.resource_name("mounts-namespace"),
        metadata={"name": f"{namespace}-mounts", "labels": labels},
        opts=pulumi.ResourceOptions(parent=context.parent),
    )


def mount_buckets(
    buckets: Sequence[Given[BucketSpec]], context: ClusterContext, namespace: str
) -> pulumi.Resource:
    """Mount the buckets on every node, and return the claim by which pods see them."""
    own = mount_namespace(context, namespace)
    there = dataclasses.replace(context, namespace=own.metadata.name)
    config = k8s.core.v1.Secret(
        context.resource_name("mounts-config"),
        metadata=there.metadata("mounts"),
        string_data={f"{one.known.name}.conf": pulumi.Output.secret(one.map(rclone_conf)) for one in buckets},
        immutable=True,
        opts=pulumi.ResourceOptions(parent=context.parent),
    )
    names = [bucket.known.name for bucket in buckets]
    mounts = _daemon_set(names, there, config, node_folder(namespace))
    return _claim(context, namespace, mounts)


def _daemon_set(
    buckets: Sequence[str], context: ClusterContext, config: k8s.core.v1.Secret, folder: str
) -> k8s.apps.v1.DaemonSet:
    labels = context.labels("mounts")
    volumes: list[Manifest] = [
        {"name": "mounts", "host_path": {"path": folder, "type": "DirectoryOrCreate"}},
        {"name": "fuse", "host_path": {"path": "/dev/fuse", "type": "CharDevice"}},
        {"name": "config", "secret": {"secret_name": config.metadata.name, "default_mode": 0o400}},
    ]
    pod = {
        **scheduling(context.settings),
        "automount_service_account_token": False,
        "enable_service_links": False,
        "containers": [_container(number, bucket, context) for number, bucket in enumerate(buckets)],
        "volumes": volumes,
    }
    return k8s.apps.v1.DaemonSet(
        context.resource_name("mounts"),
        metadata=context.metadata("mounts", name="mounts"),
        spec={
            "selector": {"match_labels": selector(labels)},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
        opts=pulumi.ResourceOptions(parent=context.parent),
    )


def _container(number: int, bucket: str, context: ClusterContext) -> Manifest:
    listed = f'mountpoint -q "{ROOT}/$BUCKET" && ls "{ROOT}/$BUCKET" >/dev/null'
    return {
        "name": f"bucket-{number}",  # a bucket's own name may have dots
        "image": context.image(IMAGES["rclone"]),
        "command": ["sh", "-c"],
        "args": [_MOUNT],
        "env": [{"name": key, "value": value} for key, value in {"BUCKET": bucket, **LIMITS}.items()],
        # a mount reaches the node from a privileged container alone
        "security_context": {"privileged": True},
        "lifecycle": {"pre_stop": {"exec_": {"command": ["sh", "-c", _UNMOUNT]}}},
        "readiness_probe": {
            "exec_": {"command": ["sh", "-c", listed]},
            "period_seconds": 5,
            "timeout_seconds": 30,
        },
        "resources": {
            "requests": {"cpu": "20m", "memory": f"{MEMORY // 4}Mi"},
            "limits": {"memory": f"{MEMORY}Mi"},
        },
        "volume_mounts": [
            {"name": "mounts", "mount_path": ROOT, "mount_propagation": "Bidirectional"},
            {"name": "fuse", "mount_path": "/dev/fuse"},
            {"name": "config", "mount_path": CONFIG, "read_only": True},
        ],
    }


def _claim(
    context: ClusterContext, namespace: str, mounts: pulumi.Resource
) -> k8s.core.v1.PersistentVolumeClaim:
    """A volume that is the folder of the mounts on whichever node the pod runs; nothing else can claim it.

    It is the folder of all mounts, so that a bucket that is mounted again appears in a running pod. The claim
    depends on the volume, so that it is removed first: a volume that is claimed is not removed.
    """
    common: Manifest = {"access_modes": ["ReadOnlyMany"], "storage_class_name": ""}
    made = k8s.core.v1.PersistentVolume(
        context.resource_name(f"{BUCKETS_CLAIM}-volume"),
        metadata={"name": f"{namespace}-{BUCKETS_CLAIM}", "labels": context.labels("mounts")},
        spec={
            **common,
            "capacity": {"storage": "1Gi"},
            "persistent_volume_reclaim_policy": "Retain",
            "claim_ref": {"namespace": namespace, "name": BUCKETS_CLAIM},
            "host_path": {"path": node_folder(namespace), "type": "Directory"},
        },
        opts=pulumi.ResourceOptions(parent=context.parent, depends_on=[mounts]),
    )
    return k8s.core.v1.PersistentVolumeClaim(
        context.resource_name(f"{BUCKETS_CLAIM}-claim"),
        metadata={
            **context.metadata("mounts", name=BUCKETS_CLAIM),
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        spec={
            **common,
            "volume_name": f"{namespace}-{BUCKETS_CLAIM}",
            "resources": {"requests": {"storage": "1Gi"}},
        },
        opts=pulumi.ResourceOptions(parent=context.parent, depends_on=[made]),
    )

"""A remote dataset bucket at any S3 endpoint, mounted read-only by rclone for CVAT's share.

The one container with more rights than the rest (``SYS_ADMIN``, ``/dev/fuse``) is named ``mount-<bucket>``.
"""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

from labelspace.container_spec import File, Health, Service
from labelspace.cvat.images import IMAGES
from labelspace.cvat.rclone import LIMITS, rclone_conf
from labelspace.given import Given
from labelspace.spec import BucketSpec
from labelspace.targets.local.container import container
from labelspace.targets.local.context import NEW_FOLDER_OWNER, DockerContext

ROOT = "/mounts"
CONFIG = "/run/labelspace/rclone.conf"
MEMORY = 512

_MOUNT = f"""\
set -eu
while umount -l "{ROOT}/$BUCKET" 2>/dev/null; do :; done
exec rclone mount "bucket:$BUCKET" "{ROOT}/$BUCKET" --config {CONFIG} --read-only --allow-other \
    --uid {NEW_FOLDER_OWNER} --gid {NEW_FOLDER_OWNER} --dir-cache-time 5m --use-server-modtime
"""
"""A killed rclone leaves a dead mount, which is unmounted first."""


def mount_bucket(
    given: Given[BucketSpec],
    context: DockerContext,
    *,
    depends_on: list[pulumi.Resource],
    parent: pulumi.Resource,
) -> docker.Container:
    """Mount the bucket under ``$LABELSPACE_HOME/mounts/<workspace>``; ends when it can be listed."""
    bind = docker.ContainerMountArgs(
        type="bind",
        source=context.mounts,
        target=ROOT,
        bind_options=docker.ContainerMountBindOptionsArgs(propagation="rshared"),
    )
    return container(
        _service(given), context, mounts=[bind], depends_on=depends_on, wait_healthy=True, parent=parent
    )


def _service(given: Given[BucketSpec]) -> Service:
    spec = given.known
    listed = f'mountpoint -q "{ROOT}/$BUCKET" && ls "{ROOT}/$BUCKET" >/dev/null'
    return Service(
        name=f"mount-{spec.name}",
        image=IMAGES["rclone"],
        memory=MEMORY,
        entrypoint=("sh", "-c"),
        command=(_MOUNT,),
        environment={"BUCKET": spec.name, **LIMITS},
        files=(File(CONFIG, pulumi.Output.secret(given.map(rclone_conf))),),
        health=Health(("CMD-SHELL", listed), interval=5, timeout=30, start_period=60),
        capabilities=("SYS_ADMIN",),
        mounts_file_systems=True,
    )

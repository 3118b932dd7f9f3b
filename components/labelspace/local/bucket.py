"""A dataset bucket of this machine: a folder, served over S3 and bound into CVAT's share."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

from labelspace.contracts import BucketAccess, Folder, Service
from labelspace.cvat.images import IMAGES
from labelspace.local.container import container, succeeded
from labelspace.local.place import NEW_FOLDER_OWNER, Place
from labelspace.spec import BucketSpec

KEPT = ("metadata", "versions", "versions-metadata")
"""What the gateway keeps beside a bucket's objects, under ``gateway/<bucket>``."""

_PREPARE = f"""\
set -eu
cd /labelspace
if [ ! -d "buckets/$BUCKET" ]; then
    mkdir -p "buckets/$BUCKET"
    chown {NEW_FOLDER_OWNER}:{NEW_FOLDER_OWNER} "buckets/$BUCKET"
fi
for kept in {" ".join(KEPT)}; do mkdir -p "gateway/$BUCKET/$kept"; done
mkdir -p "gateway/$BUCKET/metadata/meta"
printf '\\001' >"gateway/$BUCKET/metadata/meta/versioning"
chown -R --reference="buckets/$BUCKET" "gateway/$BUCKET"
"""
"""Adopts a folder that is there as it is. The one byte is how the gateway keeps "versioning: enabled"."""


class DatasetBucket(pulumi.ComponentResource):
    """The folder ``$LABELSPACE_HOME/buckets/<name>``; it outlives every workspace."""

    access: BucketAccess

    def __init__(
        self,
        name: str,
        *,
        spec: BucketSpec,
        place: Place,
        endpoint: pulumi.Input[str],
        access_key: pulumi.Input[str],
        secret_key: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:local:DatasetBucket", name, None, opts)
        prepared = container(_preparation(spec), place, binds=_home(place), parent=self)
        self.ready = succeeded(prepared, place, f"bucket-{spec.name}")
        self.access = BucketAccess(
            name=spec.name,
            endpoint=pulumi.Output.from_input(endpoint),
            region=spec.region,
            access_key=pulumi.Output.from_input(access_key),
            secret_key=pulumi.Output.secret(secret_key),
            share=Folder(str(place.home.buckets / spec.name)),
        )
        self.register_outputs({"bucket": spec.name, "endpoint": self.access.endpoint})


def _preparation(spec: BucketSpec) -> Service:
    """Root for a moment, with just the rights to make a folder and give it away."""
    return Service(
        name=f"bucket-{spec.name}",
        image=IMAGES["versitygw"],
        memory=32,
        entrypoint=("sh", "-c"),
        command=(_PREPARE,),
        environment={"BUCKET": spec.name},
        capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER"),
        one_shot=True,
    )


def _home(place: Place) -> list[docker.ContainerVolumeArgs]:
    """The two folders alone, not the whole home with its keys."""
    return [
        docker.ContainerVolumeArgs(host_path=str(path), container_path=f"/labelspace/{path.name}")
        for path in (place.home.buckets, place.home.gateway)
    ]

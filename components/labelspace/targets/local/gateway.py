"""The workspace's own S3 gateway: versitygw over the bucket folders of this machine, versioning on."""

from __future__ import annotations

import pulumi

from labelspace.container_spec import File, Health, Service
from labelspace.cvat.images import IMAGES
from labelspace.outputs import BucketAccess, FolderShare
from labelspace.targets.local import own_folder
from labelspace.targets.local.container import Volume, container
from labelspace.targets.local.context import DockerContext

PORT = 7070
ALIAS = "gateway"
"""Its name in the workspace's network, for cloud storages of CVAT: http://gateway:7070."""
ACCESS_KEY = "labelspace"
ROOT = "/buckets"
IN_MEMORY = "mode=755,size=16m"
CREDENTIALS = "/run/labelspace/gateway.env"

_SERVE = f"""\
set -eu
. {CREDENTIALS}
mkdir -p /buckets /kept /kept-versions
(while sleep 5; do for left in /buckets/*/.sgwtmp; do
    rmdir "$left/multipart" "$left" 2>/dev/null || true
done; done) &
exec versitygw --quiet --port :{PORT} --health /health posix \
    --sidecar /kept --versioning-dir /kept-versions /buckets
"""
"""The gateway leaves an empty ``.sgwtmp`` in each bucket, which users would see in the share: it is swept.
``rmdir`` takes nothing that holds a file, so an upload under way keeps its parts."""


class S3Gateway(pulumi.ComponentResource):
    """Serves ``buckets`` on ``bind_address:port``, and no others."""

    def __init__(
        self,
        name: str,
        *,
        context: DockerContext,
        port: int,
        secret_key: pulumi.Input[str],
        buckets: list[BucketAccess],
        depends_on: list[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:local:S3Gateway", name, None, opts)
        binds = [bind for bucket in buckets for bind in _binds(bucket, context)]
        self.container = container(
            _service(port, secret_key),
            context,
            binds=binds,
            # A folder of the user's own is read-only, so the gateway keeps no versions of its files.
            mounts=[
                own_folder.mount(bucket.own_path, f"{ROOT}/{bucket.name}")
                for bucket in buckets
                if bucket.own_path
            ],
            # The gateway keeps locks next to the buckets. With userns-remap a folder that the engine makes
            # for the buckets belongs to a root that is not the container's.
            tmpfs={ROOT: IN_MEMORY},
            depends_on=depends_on,
            parent=self,
        )
        self.register_outputs({"port": port})


def _service(port: int, secret_key: pulumi.Input[str]) -> Service:
    credentials = pulumi.Output.from_input(secret_key).apply(
        lambda key: f"export ROOT_ACCESS_KEY='{ACCESS_KEY}'\nexport ROOT_SECRET_KEY='{key}'\n"
    )
    fetch = f"wget -q -O /dev/null http://127.0.0.1:{PORT}/health"
    return Service(
        name="gateway",
        image=IMAGES["versitygw"],
        memory=512,
        entrypoint=("sh", "-c"),
        command=(_SERVE,),
        files=(File(CREDENTIALS, pulumi.Output.secret(credentials)),),
        aliases=(ALIAS,),
        health=Health(("CMD-SHELL", fetch)),
        # Root inside, to serve a folder of any owner; of root's rights these are left.
        capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER"),
        publishes=((PORT, port),),
    )


def _binds(bucket: BucketAccess, context: DockerContext) -> list[Volume]:
    """Bind a bucket's folder and what the gateway keeps about it."""
    if not isinstance(bucket.share, FolderShare):
        return []
    machine, name = context.machine, bucket.name
    folders: dict[str, pulumi.Input[str]] = {
        f"/buckets/{name}": bucket.share.path,
        f"/kept/{name}": machine.path(lambda home: home.gateway / name / "metadata"),
        f"/kept-versions/{name}": machine.path(lambda home: home.gateway / name / "versions"),
        f"/kept/kept-versions/{name}": machine.path(lambda home: home.gateway / name / "versions-metadata"),
    }
    return [machine.bind(host, path) for path, host in folders.items()]

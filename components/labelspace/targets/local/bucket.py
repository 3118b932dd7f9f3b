"""A dataset bucket: a folder of this machine, served over S3, bound into CVAT's share; or a remote bucket.

A folder of this machine is one under the home, which a container prepares, or one of the user's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pulumi
import pulumi_docker as docker
from pydantic import SecretStr

from labelspace.container_spec import Service
from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace.outputs import BucketAccess, FolderShare, OwnFolderShare, RemoteShare, Share
from labelspace.spec import BucketSpec
from labelspace.targets.local import own_folder
from labelspace.targets.local.bucket_mount import mount_bucket
from labelspace.targets.local.container import Volume, container, wait_for_success
from labelspace.targets.local.context import NEW_FOLDER_OWNER, DockerContext

KEPT = ("metadata", "versions", "versions-metadata")
"""Data that the gateway stores besides a bucket's objects, under ``gateway/<bucket>``."""

_PREPARE = f"""\
set -eu
cd /labelspace
owner={NEW_FOLDER_OWNER}
read -r _ outside ids </proc/self/uid_map
if [ "$outside" != 0 ] && [ "$ids" = 1 ]; then owner=0; fi
if [ ! -d "buckets/$BUCKET" ]; then
    mkdir -p "buckets/$BUCKET"
    chown "$owner:$owner" "buckets/$BUCKET"
fi
for kept in {" ".join(KEPT)}; do mkdir -p "gateway/$BUCKET/$kept"; done
mkdir -p "gateway/$BUCKET/metadata/meta"
printf '\\001' >"gateway/$BUCKET/metadata/meta/versioning"
chown -R "$(stat -c %u:%g "buckets/$BUCKET")" "gateway/$BUCKET"
"""
"""Leaves an existing folder as it is. The one byte is how the gateway stores "versioning: enabled".

Busybox runs it, so ``chown`` knows no ``--reference``. On a rootless engine the container's root is the user
who runs the engine (user_namespaces(7)): that user owns a new folder, so that files can be put into it.
"""


_PREPARE_MOUNT = """\
set -eu
for bucket in $BUCKETS; do mkdir -p "/labelspace/mounts/$WORKSPACE/$bucket"; done
"""
"""Every bucket's name under the share's root: what is bound or mounted there needs a folder to lie on."""


class DatasetBucket(pulumi.ComponentResource):
    """The folder ``$LABELSPACE_HOME/buckets/<name>``, which outlives every workspace; or a remote bucket.

    With ``spec.path`` it is that folder, which must exist and is only read (``pulumi.RunError``).
    ``siblings``: the other buckets of the workspace, in the same file share. A remote bucket is
    mounted while ``running``.
    """

    access: BucketAccess
    ready: pulumi.Output[str]
    """Resolves when its folder is prepared."""

    def __init__(
        self,
        name: str,
        *,
        spec: BucketSpec,
        context: DockerContext,
        endpoint: pulumi.Input[str],
        access_key: pulumi.Input[str],
        secret_key: pulumi.Input[str],
        siblings: tuple[str, ...] = (),
        running: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:local:DatasetBucket", name, None, opts)
        self._spec, self._context = spec, context
        if spec.endpoint:
            share: Share = self._mount(siblings, running=running)
            endpoint, access_key, secret_key = spec.endpoint, _plain(spec.access_key), _plain(spec.secret_key)
        else:
            share = self._own_folder(spec.path, running=running) if spec.path else self._folder()
        self.access = BucketAccess(
            name=spec.name,
            endpoint=pulumi.Output.from_input(endpoint),
            region=spec.region,
            access_key=pulumi.Output.secret(access_key),
            secret_key=pulumi.Output.secret(secret_key),
            share=share,
        )
        self.register_outputs({"bucket": spec.name, "endpoint": self.access.endpoint})

    def _folder(self) -> FolderShare:
        name, machine = self._spec.name, self._context.machine
        folders = {
            "buckets": machine.path(lambda home: home.buckets),
            "gateway": machine.path(lambda home: home.gateway),
        }
        self._prepare(_PREPARE, {"BUCKET": name}, folders)
        return FolderShare(machine.path(lambda home: home.buckets / name))

    def _own_folder(self, folder: str, *, running: bool) -> OwnFolderShare:
        """Nothing is prepared. An update that gives the folder to containers checks it; a preview may run on
        another machine."""
        updates = running and not pulumi.runtime.is_dry_run()
        if updates and (problem := own_folder.problem(folder, Home.find())):
            raise pulumi.RunError(f"bucket {self._spec.name}: {problem}")
        self.ready = pulumi.Output.from_input("")
        return OwnFolderShare(folder)

    def _mount(self, siblings: tuple[str, ...], *, running: bool) -> RemoteShare:
        names = " ".join(sorted({self._spec.name, *siblings}))
        environment = {"WORKSPACE": self._context.workspace, "BUCKETS": names}
        folders = {"mounts": self._context.machine.path(lambda home: home.mounts)}
        prepared = self._prepare(_PREPARE_MOUNT, environment, folders)
        if running:
            mount_bucket(self._spec, self._context, depends_on=[prepared], parent=self)
        return RemoteShare(self._context.mounts)

    def _prepare(
        self, script: str, environment: dict[str, str], folders: Mapping[str, pulumi.Input[str]]
    ) -> docker.Container:
        """Run ``script`` over the folders that it works on alone, not the whole home with its keys.

        ``folders``: paths of the machine by their names in the container, below ``/labelspace``.
        """
        service = replace(_PREPARATION, name=f"bucket-{self._spec.name}", command=(script,))
        machine = self._context.machine
        binds: list[Volume] = [machine.bind(path, f"/labelspace/{name}") for name, path in folders.items()]
        prepared = container(
            replace(service, environment=environment), self._context, binds=binds, parent=self
        )
        self.ready = wait_for_success(prepared, self._context, service.name)
        return prepared


_PREPARATION = Service(
    name="bucket",
    image=IMAGES["versitygw"],
    memory=32,
    entrypoint=("sh", "-c"),
    capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER"),
    one_shot=True,
)
"""Root for a moment, with just the rights to make a folder and give it away."""


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""

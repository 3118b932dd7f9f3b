"""Target scaleway: workspaces on an Instance at Scaleway."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from labelspace.spec import ScalewaySpec, Settings
from labelspace_ops.core.checks import Check
from labelspace_ops.stack.state import Properties, Resource
from labelspace_ops.targets.base import Capability, CreateOptions, Deletion, Target, Update
from labelspace_ops.targets.status import Status

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from pulumi import automation as auto

    from labelspace.home import Home
    from labelspace_ops.backup.base import Backups


class ScalewayTarget(Target[ScalewaySpec]):
    """An Instance, Object Storage and PostgreSQL at Scaleway."""

    name: ClassVar[str] = "scaleway"
    title: ClassVar[str] = "Scaleway"
    plugins: ClassVar[tuple[str, ...]] = ("pulumiverse_scaleway", "pulumi_random")
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.COST,
            Capability.HOST_NAME,
            Capability.BACKUP_WHILE_STOPPED,
            Capability.RESTORE_BEFORE_READY,
        }
    )
    retention_note: ClassVar[str] = (
        "Buckets, backups and the data volume stay at Scaleway, and are billed until they are removed in its"
        " console; a new workspace of this name continues with them."
    )

    def program(self, *, checked: bool = False, rehearsed: bool = False) -> Callable[[], None]:
        """Return the Pulumi program; it checks the account before it declares resources (ADR 10)."""
        from labelspace_ops.backup import upgrade  # noqa: PLC0415
        from labelspace_ops.labels import program  # noqa: PLC0415
        from labelspace_ops.targets.scaleway import preconditions  # noqa: PLC0415

        check = partial(preconditions.check_program, checked=checked, rehearsed=rehearsed)
        return partial(program.run, check=check, before_upgrade=None if rehearsed else upgrade.hook)

    def resolve(self, spec: ScalewaySpec, home: Home) -> ScalewaySpec:
        """Return the spec with keys and with the existing resources that the workspace reuses."""
        from labelspace_ops.targets.scaleway import lifecycle  # noqa: PLC0415

        return lifecycle.preview_spec(spec, home)

    def begin_update(
        self, spec: ScalewaySpec, home: Home, options: CreateOptions
    ) -> AbstractContextManager[Update[ScalewaySpec]]:
        """Check the account, remove orphaned servers, test an upgrade on the old server."""
        from labelspace_ops.targets.scaleway import lifecycle  # noqa: PLC0415

        return lifecycle.begin_update(spec, home, options)

    def before_stop(self, stack: auto.Stack, home: Home) -> str:
        """Take a last backup or dump, if the server allows SSH from this machine; return its id or empty."""
        from labelspace_ops.targets.scaleway import lifecycle  # noqa: PLC0415

        return lifecycle.before_stop(stack, home)

    def backups_location(self, name: str, home: Home) -> str:
        """Return the location that the last update exported."""
        from labelspace_ops.stack import state  # noqa: PLC0415

        return str(state.outputs(name, home)["backups"]["where"])

    def delete(self, stack: auto.Stack, home: Home, destroy: Callable[[], None], *, purge: bool) -> Deletion:
        """Remove everything that is billed by the hour; ``refuse_purge`` refuses ``purge``."""
        from labelspace_ops.targets.scaleway import lifecycle  # noqa: PLC0415

        return lifecycle.delete(stack, home, destroy)

    def status(self, name: str, resources: list[Resource], home: Home) -> Status:
        """Measure the URL, the account's resources, the buckets and the backups."""
        from labelspace_ops.targets.scaleway import status  # noqa: PLC0415

        return status.measure(name, resources, home)

    def backups(self, name: str, home: Home, settings: Settings) -> Backups:
        """Return the pgBackRest backups on the server, or dumps and snapshots of the managed database."""
        from labelspace_ops.targets.scaleway import backups, server_database  # noqa: PLC0415

        own = server_database.has_own_database(settings)
        return (server_database.RemoteBackups if own else backups.Managed)(name, home, settings)

    def preview_notes(self, spec: ScalewaySpec, *, new: bool) -> list[str]:
        """Name the cost, and warn of open registration."""
        public = ["everybody on the internet can create an account (registration: open)"]
        return [f"it will cost {self.cost(spec)}", *(public if spec.registration == "open" else [])]

    def upgrade_note(self, spec: ScalewaySpec) -> str:
        """Describe the upgrade; for a managed database it is tested on the server, which needs SSH."""
        if spec.scaleway.database == "server":
            return super().upgrade_note(spec)
        if not spec.scaleway.ssh_cidrs:
            return (
                "the upgrade is not rehearsed, as scaleway.ssh_cidrs is empty: the new server migrates"
                " the database at once"
            )
        return (
            f"upgrade to CVAT {spec.cvat_version}: first a dump, then a rehearsal on the server: a copy of it"
            " is migrated with the new version, and its rows are counted; only then is the server replaced. A"
            " rehearsal that fails changes nothing; without SSH access the rehearsal is skipped"
        )

    def cost(self, spec: ScalewaySpec) -> str:
        """Return the cost in EUR a month, in total and by part."""
        from labelspace_ops.targets.scaleway.cost_text import cost_text  # noqa: PLC0415

        return cost_text(spec)

    def doctor(self, home: Home) -> list[Check]:
        """Check keys and their sources, permissions and quotas."""
        from labelspace_ops.targets.scaleway import doctor  # noqa: PLC0415

        return doctor.examine(home)

    def bucket_client(self, outputs: Properties, bucket: str, *, patience: float = 0) -> S3Client:
        """Return an S3 client with the account's keys, which the bucket's policy allows."""
        from labelspace.home import Home  # noqa: PLC0415
        from labelspace_ops.storage.buckets import workspace_name  # noqa: PLC0415
        from labelspace_ops.targets.scaleway import account  # noqa: PLC0415

        cloud = account.for_workspace(workspace_name(outputs), Home.find())
        return replace(cloud, patience=patience).storage(outputs["region"], outputs.get("project", ""))

    def bucket_store(self, outputs: Properties, bucket: str) -> None:
        """Return None: Scaleway's access keys name a project, which obstore does not support."""
        return

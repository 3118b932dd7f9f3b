"""Target local: workspaces on this machine's Docker engine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from labelspace.spec import LocalSpec, Settings
from labelspace_ops.core.checks import Check
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack.state import Properties, Resource
from labelspace_ops.targets.base import Capability, CreateOptions, Deletion, Target, Update, Usage
from labelspace_ops.targets.status import Status

if TYPE_CHECKING:
    from pulumi import automation as auto

    from labelspace.home import Home
    from labelspace_ops.backup.base import Backups
    from labelspace_ops.backup.models import Rehearsal

FIRST_PORT = 8080
PORTS = ("port", "s3_port")


class LocalTarget(Target[LocalSpec]):
    """This machine's Docker engine."""

    name: ClassVar[str] = "local"
    title: ClassVar[str] = "this machine"
    plugins: ClassVar[tuple[str, ...]] = ("pulumi_docker", "pulumi_random")
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.KEEPS_STACK,
            Capability.PURGE,
            Capability.HOST_PORTS,
            Capability.LOCAL_BUCKETS,
            Capability.S3_STOPS,
        }
    )
    retention_note: ClassVar[str] = (
        "Annotations and backups stay on this machine; a new workspace of this name continues with them."
    )

    def program(self, *, checked: bool = False, rehearsed: bool = False) -> Callable[[], None]:
        """Return the Pulumi program; unless ``rehearsed``, it backs up and tests an upgrade of CVAT first."""
        from labelspace_ops.backup import upgrade  # noqa: PLC0415
        from labelspace_ops.labels import program  # noqa: PLC0415
        from labelspace_ops.targets.local import tls  # noqa: PLC0415

        return partial(program.run, before_upgrade=None if rehearsed else upgrade.hook, check=tls.check)

    def new_values(self, values: Settings, home: Home) -> Settings:
        """Choose ports that are free now and that no other workspace has, running or not."""
        from labelspace_ops.targets.local import preflight  # noqa: PLC0415

        bind_address = str(values.get("bind_address", "127.0.0.1"))
        missing = [field for field in PORTS if field not in values]
        taken = {int(values[field]) for field in PORTS if field in values}
        if missing:
            taken |= _ports_of_workspaces(home)
        chosen: Settings = {}
        for field in missing:
            chosen[field] = preflight.free_port(bind_address, FIRST_PORT, taken)
            taken.add(chosen[field])
        return chosen

    def revived_settings(self, settings: Settings) -> Settings:
        """Return the settings without ports that another program uses now."""
        from labelspace_ops.targets.local import preflight  # noqa: PLC0415

        bind_address = str(settings.get("bind_address", "127.0.0.1"))
        taken = {field for field in PORTS if preflight.listening_problem(bind_address, settings[field])}
        return {key: value for key, value in settings.items() if key not in taken}

    def rehearse_upgrade(self, name: str, version: str, old: str, home: Home) -> Rehearsal:
        """Take a backup and rehearse an upgrade on a copy of it."""
        from labelspace_ops.backup import agent, upgrade  # noqa: PLC0415
        from labelspace_ops.runtime.docker_engine import DockerRuntime  # noqa: PLC0415

        return upgrade.rehearse(
            DockerRuntime.here(name), agent.workspace_repository(name, home), version, old
        )

    def resolve(self, spec: LocalSpec, home: Home) -> LocalSpec:
        """Refuse a certificate that browsers would refuse; the spec stays as it is."""
        from labelspace_ops.targets.local import tls  # noqa: PLC0415

        tls.check(spec)
        return spec

    def begin_update(
        self, spec: LocalSpec, home: Home, options: CreateOptions
    ) -> AbstractContextManager[Update[LocalSpec]]:
        """Check name, ports and disk; fill the volumes when the workspace is created from a backup."""
        from labelspace_ops.targets.local import lifecycle  # noqa: PLC0415

        return lifecycle.begin_update(spec, home, options)

    def before_stop(self, stack: auto.Stack, home: Home) -> str:
        """Take a last backup, stop the application containers and remove leftovers."""
        from labelspace_ops.targets.local import lifecycle  # noqa: PLC0415

        return lifecycle.before_stop(stack, home)

    def backups_location(self, name: str, home: Home) -> str:
        """Return the folder or the bucket of the workspace's backups."""
        from labelspace_ops.targets.local import lifecycle  # noqa: PLC0415

        return lifecycle.backups_location(name, home)

    def delete(self, stack: auto.Stack, home: Home, destroy: Callable[[], None], *, purge: bool) -> Deletion:
        """Remove the containers; volumes and backups stay unless purged."""
        from labelspace_ops.targets.local import lifecycle  # noqa: PLC0415

        return lifecycle.delete(stack, home, self.program(checked=True), destroy, purge=purge)

    def purge_retained(self, name: str, home: Home) -> bool:
        """Remove volumes and backups of a workspace without a stack; return False when there are none."""
        from labelspace_ops.targets.local import lifecycle  # noqa: PLC0415

        return lifecycle.purge_retained(name, home)

    def retained(self, name: str, home: Home) -> str:
        """Describe the volumes and backups that a deleted workspace of this name left; empty for none."""
        from labelspace_ops.backup import retained  # noqa: PLC0415
        from labelspace_ops.runtime.docker_engine import DockerRuntime  # noqa: PLC0415

        return str(retained.find_retained(DockerRuntime.here(name), home) or "")

    def status(self, name: str, resources: list[Resource], home: Home) -> Status:
        """Measure containers, CVAT's health, buckets and backups."""
        from labelspace_ops.targets.local import status  # noqa: PLC0415

        return status.measure(name, resources, home)

    def backups(self, name: str, home: Home, settings: Settings) -> Backups:
        """Return the backups that pgBackRest makes in the database's container."""
        from labelspace_ops.backup.base import LocalBackups  # noqa: PLC0415
        from labelspace_ops.stack import declared  # noqa: PLC0415
        from labelspace_ops.targets.local import recorded_machine  # noqa: PLC0415

        if declared.current():  # the keys and the folder of backups are in the home that made it
            recorded_machine.require_same(name, home)
        return LocalBackups(name, home, settings)

    def preview_notes(self, spec: LocalSpec, *, new: bool) -> list[str]:
        """Name the URL of a new workspace, warn of open registration and of shown folders."""
        from labelspace.targets.local.server import public_url  # noqa: PLC0415 - loads Pulumi

        notes = [f"the URL will be {public_url(spec)}"] if new else []
        if spec.registration == "open" and spec.bind_address not in ("127.0.0.1", "::1"):
            notes.append(
                f"everybody who reaches {spec.bind_address}:{spec.port} can create an account"
                " (registration: open)"
            )
        notes += [
            f"everybody who may browse the file share sees the files of {bucket.path} on this machine"
            for bucket in spec.buckets
            if bucket.path
        ]
        return notes

    def image_notes(self, spec: LocalSpec) -> list[str]:
        """Name images that are pulled first, and those that are others now than the containers run."""
        from labelspace_ops.targets.local import images  # noqa: PLC0415

        return images.notes(spec)

    def usage(self, name: str, outputs: Properties, home: Home) -> Usage:
        """Measure containers, volumes and folders."""
        from labelspace_ops.runtime.docker_engine import DockerRuntime  # noqa: PLC0415
        from labelspace_ops.targets.local import usage  # noqa: PLC0415

        names = [bucket["name"] for bucket in outputs["buckets"]]
        return usage.measure(DockerRuntime.here(name), names, home)

    def send_test_notice(self, name: str) -> None:
        """Send it from the notifier's container."""
        from labelspace_ops.runtime.docker_engine import DockerRuntime  # noqa: PLC0415
        from labelspace_ops.targets.local import notices  # noqa: PLC0415

        notices.send_test(DockerRuntime.here(name))

    def unreadable_keys(self, outputs: Properties, bucket: str, prefix: str) -> frozenset[str]:
        """Ask the server's container, which has the user and the share of CVAT."""
        from labelspace_ops.runtime.docker_engine import DockerRuntime  # noqa: PLC0415
        from labelspace_ops.storage.buckets import workspace_name  # noqa: PLC0415
        from labelspace_ops.targets.local import share  # noqa: PLC0415

        runtime = DockerRuntime.here(workspace_name(outputs))
        return share.find_unreadable(runtime, [f"{bucket}/{prefix}"]).keys(bucket)

    def doctor(self, home: Home) -> list[Check]:
        """Check the Docker engine, the disk and the images."""
        from labelspace_ops.targets.local import doctor  # noqa: PLC0415

        return doctor.examine(home)


def _ports_of_workspaces(home: Home) -> set[int]:
    """Return the ports in all settings; a damaged state of one workspace does not matter here."""
    from labelspace_ops.stack import automation, state  # noqa: PLC0415

    options = automation.options(home)

    def settings(name: str) -> Settings:
        try:
            return automation.read_settings(automation.open_stack(name, options))
        except OpsError:  # encrypted with another passphrase: its ports show when it runs
            return {}

    with ThreadPoolExecutor() as pool:
        found = pool.map(settings, state.names(home))
        return {one[field] for one in found for field in PORTS if field in one}

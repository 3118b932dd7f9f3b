"""Target local: workspaces on this machine's Docker engine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from labelspace.spec import LocalSpec
from labelspace_ops.core.checks import Check
from labelspace_ops.targets.base import Capability, CreateOptions, Deletion, Resources, Target, Update

if TYPE_CHECKING:
    from pulumi import automation as auto

    from labelspace.home import Home
    from labelspace_ops.backup.base import Backups

FIRST_PORT = 8080
PORTS = ("port", "s3_port")


class LocalTarget(Target[LocalSpec]):
    """This machine's Docker engine."""

    name: ClassVar[str] = "local"
    title: ClassVar[str] = "this machine"
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
        "Annotations and backups stay on this machine, for a new workspace of the name to go on with."
    )

    def program(self, *, checked: bool = False, rehearsed: bool = False) -> Callable[[], None]:
        """Before the image of another CVAT version is used, Pulumi's hook backs up and rehearses."""
        from labelspace_ops.backup import upgrade  # noqa: PLC0415
        from labelspace_ops.labels import program  # noqa: PLC0415

        return partial(program.run, before_upgrade=None if rehearsed else upgrade.hook)

    def new_values(self, values: dict[str, Any], home: Home) -> dict[str, Any]:
        """Ports that are free now and that no stopped workspace will want back."""
        from labelspace_ops.targets.local import preflight  # noqa: PLC0415

        bind_address = str(values.get("bind_address", "127.0.0.1"))
        missing = [field for field in PORTS if field not in values]
        taken = {int(values[field]) for field in PORTS if field in values}
        if missing:
            taken |= _ports_of_others(home)
        found: dict[str, Any] = {}
        for field in missing:
            found[field] = preflight.free_port(bind_address, FIRST_PORT, taken)
            taken.add(found[field])
        return found

    def revived_settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Without ports that something else uses now."""
        from labelspace_ops.targets.local import preflight  # noqa: PLC0415

        bind_address = str(settings.get("bind_address", "127.0.0.1"))
        taken = {field for field in PORTS if preflight.listening_problem(bind_address, settings[field])}
        return {key: value for key, value in settings.items() if key not in taken}

    def begin_update(
        self, spec: LocalSpec, home: Home, options: CreateOptions
    ) -> AbstractContextManager[Update[LocalSpec]]:
        """Refuse taken names and ports, and fill the volumes of a workspace that is made from a backup."""
        from labelspace_ops.targets.local import lifecycle  # noqa: PLC0415

        return lifecycle.begin_update(spec, home, options)

    def before_stop(self, stack: auto.Stack, home: Home) -> str:
        """Back up, end the application containers, remove what the stack does not know."""
        from labelspace_ops.targets.local import lifecycle  # noqa: PLC0415

        return lifecycle.before_stop(stack, home)

    def backups_location(self, name: str, home: Home) -> str:
        """A folder of this machine, or a bucket."""
        from labelspace_ops.targets.local import lifecycle  # noqa: PLC0415

        return lifecycle.backups_location(name, home)

    def delete(self, stack: auto.Stack, home: Home, destroy: Callable[[], None], *, purge: bool) -> Deletion:
        """Remove the containers; volumes and backups stay unless purged."""
        from labelspace_ops.targets.local import lifecycle  # noqa: PLC0415

        return lifecycle.delete(stack, home, self.program(checked=True), destroy, purge=purge)

    def purge_retained(self, name: str, home: Home) -> bool:
        """Remove volumes and backups of a workspace whose stack is gone."""
        from labelspace_ops.targets.local import lifecycle  # noqa: PLC0415

        return lifecycle.purge_retained(name, home)

    def retained(self, name: str, home: Home) -> str:
        """The volume and the backups of an earlier workspace of the name."""
        from labelspace_ops.backup import retained  # noqa: PLC0415
        from labelspace_ops.runtime import docker_engine  # noqa: PLC0415

        found = retained.find_retained(name, docker_engine.connect(), home)
        return str(found) if found else ""

    def status(self, name: str, resources: Resources, home: Home) -> dict[str, Any]:
        """By containers, CVAT's health, bucket listings and the backup program."""
        from labelspace_ops.runtime import docker_engine  # noqa: PLC0415
        from labelspace_ops.targets.local import status  # noqa: PLC0415

        return status.measure(name, resources, docker_engine.connect(), home)

    def backups(self, name: str, home: Home, settings: dict[str, Any]) -> Backups:
        """pgBackRest beside the database."""
        from labelspace_ops.backup.base import LocalBackups  # noqa: PLC0415

        return LocalBackups(name, home, settings)

    def preview_notes(self, spec: LocalSpec, *, new: bool) -> list[str]:
        """The URL of a new workspace; who may make an account when the address is not loopback."""
        notes = [f"the URL will be http://{spec.name}.localhost:{spec.port}"] if new else []
        if spec.registration == "open" and spec.bind_address not in ("127.0.0.1", "::1"):
            notes.append(
                f"everybody who reaches {spec.bind_address}:{spec.port} can make an account"
                " (registration: open)"
            )
        return notes

    def doctor(self, home: Home) -> list[Check]:
        """Pulumi, the engine, disk, images, state."""
        from labelspace_ops.targets.local import doctor  # noqa: PLC0415

        return doctor.examine(home)


def _ports_of_others(home: Home) -> set[int]:
    from labelspace_ops.stack import automation, state  # noqa: PLC0415

    with ThreadPoolExecutor() as pool:
        settings = pool.map(
            lambda name: automation.read_settings(automation.select(name, home)), state.names(home)
        )
        return {one[field] for one in settings for field in PORTS if field in one}

"""Create, stop and delete: the steps of target local."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from pulumi import automation as auto

from labelspace.home import Home
from labelspace.postgres import pgbackrest
from labelspace.spec import BackupSpec, LocalSpec, SpecError, validate
from labelspace_ops.backup import agent, external_database, final_backup, import_backup, retained, upgrade
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import message
from labelspace_ops.cvat import sleep
from labelspace_ops.runtime import docker_engine
from labelspace_ops.runtime.base import stop_application
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import leftovers, progress, state
from labelspace_ops.storage import buckets
from labelspace_ops.targets.base import CreateOptions, Deletion, Update
from labelspace_ops.targets.local import (
    bucket_folders,
    images,
    mail_server,
    own_folders,
    preflight,
    recorded_machine,
)


@contextmanager
def begin_update(spec: LocalSpec, home: Home, options: CreateOptions) -> Iterator[Update[LocalSpec]]:
    """Check the spec, fill the volumes from ``options.from_backup`` and yield the other steps.

    Raises ``UsageError`` or ``OpsError`` before the stack changes.
    """
    if options.known:
        recorded_machine.require_same(spec.name, home)
    runtime = DockerRuntime.here(spec.name)
    preflight.check(spec, runtime, home, known=options.known, reuse_data=options.reuse_data)
    mail_server.warn(spec.email)
    if spec.running:
        images.pull(runtime.client, spec)
        own_folders.check_readable(runtime, spec)
    external_database.check(runtime, spec, home, reuse_data=options.reuse_data or bool(options.from_backup))
    origin = import_backup.begin(runtime, spec, home, text=options.from_backup, reuse_data=options.reuse_data)
    if origin:
        import_backup.fill(runtime, origin, spec, home)
    yield LocalUpdate(spec, home, runtime, known=options.known)


class LocalUpdate(Update[LocalSpec]):
    """The steps of an update on this machine's Docker engine."""

    def __init__(self, spec: LocalSpec, home: Home, runtime: DockerRuntime, *, known: bool) -> None:
        super().__init__(spec)
        self._home, self._runtime, self._known = home, runtime, known
        self._old_version = self._backup = ""

    def before_settings(self, stack: auto.Stack) -> None:
        """Remove leftovers of an interrupted update; back up and test the upgrade before a new CVAT."""
        if not self._known:
            _stop_all(self._runtime)
        resources = leftovers.remove_leftovers(self._runtime, stack, self._home, new=not self._known)
        if self._known:
            self._before_upgrade(state.stack_outputs(resources))
            self.refresh = not leftovers.is_idle(self._runtime, resources)
        else:
            self.refresh = False

    def _before_upgrade(self, outputs: dict[str, object]) -> None:
        name, version = self.spec.name, self.spec.cvat_version
        running = upgrade.running_version(self._runtime)
        self._old_version = str(outputs.get("cvat_version", "")) or running
        if self._old_version and self._old_version != version:
            repository = agent.workspace_repository(name, self._home)
            self._backup = upgrade.before(self._runtime, repository, version, self._old_version)

    def running(self) -> AbstractContextManager[None]:
        """Report the lines of the readiness check's log while the update runs."""
        return progress.gate(self._runtime)

    def hint(self, error: str) -> str:
        """Say how to return to the old version after a failed upgrade; empty for other updates."""
        return upgrade.way_back(self.spec.name, self._old_version, self._backup) if self._backup else ""

    def after(self) -> None:
        """Record the folders that hold files; wake a workspace that fell asleep during the update."""
        import_backup.finished(self.spec.name, self._home)
        bucket_folders.record_all(self.spec, self._home)
        if self.spec.sleep_after_minutes and self.spec.running:
            sleep.wake(self.spec.name, state.outputs(self.spec.name, self._home))


def before_stop(stack: auto.Stack, home: Home) -> str:
    """Take a last backup, stop the application containers and remove leftovers; return the backup's id."""
    recorded_machine.require_same(stack.name, home)
    runtime = DockerRuntime.here(stack.name)
    last_backup = final_backup.take_final_backup(runtime, prove=False)
    _stop_application(runtime)
    if spec := _spec(stack):
        bucket_folders.record_all(spec, home)
    leftovers.remove_leftovers(runtime, stack, home)
    return last_backup


def _stop_application(runtime: DockerRuntime) -> None:
    message("  stopping the server and its workers")
    stop_application(runtime)


def _stop_all(runtime: DockerRuntime) -> None:
    """Stop what runs without a state; the database last, so that nothing writes while it stops."""
    running = [part for part, one in runtime.services().items() if one.running]
    if running:
        message(f"  stopping {len(running)} containers that no state names; they are made again")
        stop_application(runtime)
        runtime.stop(running)


def backups_location(name: str, home: Home) -> str:
    """Return the folder or the bucket of the workspace's backups."""
    return _location(name, _spec(stack.select(name, home)), home)


def _location(name: str, spec: LocalSpec | None, home: Home) -> str:
    return pgbackrest.location(spec.backup if spec else BackupSpec(), home.backups / name, name)


def delete(
    selected: auto.Stack, home: Home, program: Callable[[], None], destroy: Callable[[], None], *, purge: bool
) -> Deletion:
    """Take a last backup, verify it and remove the containers.

    ``purge``: take no backup, and remove the data and the stack too. Raises ``OpsError`` before anything is
    removed when the backup fails.
    """
    recorded_machine.require_same(selected.name, home)
    runtime, name = DockerRuntime.here(selected.name), selected.name
    spec = _spec(selected)
    last_backup = "" if purge else final_backup.take_final_backup(runtime)
    _stop_application(runtime)
    leftovers.remove_leftovers(runtime, selected, home)  # the network goes only without containers
    if purge or spec is None:
        destroy()
        _remove_containers(runtime)
    else:
        stack.mark_deleted(selected)
        stack.update(selected, program, progress.Resources().on_event)
    if purge:
        _remove_data(runtime, home, spec)
        return Deletion("", "")
    newest = last_backup or _newest_backup(runtime, spec, home)
    return Deletion(newest, _location(name, spec, home), recreate=f"labelspace create {name}" if spec else "")


def purge_retained(name: str, home: Home) -> bool:
    """Remove volumes and backups of a workspace without a stack; return False when there are none."""
    runtime = DockerRuntime.here(name)
    if retained.find_retained(runtime, home) is None:
        return False
    _remove_containers(runtime)
    _remove_data(runtime, home, None)
    return True


def _remove_containers(runtime: DockerRuntime) -> None:
    runtime.remove(runtime.services())


def _remove_data(runtime: DockerRuntime, home: Home, spec: LocalSpec | None) -> None:
    """Remove the volumes, the backups in the folder and in the bucket, and their encryption key."""
    name = runtime.workspace
    docker_engine.remove_data(runtime.client, name, home.backups / name)
    if spec and spec.backup.bucket:
        buckets.remove_backups(spec.backup.bucket, name)
    home.backup_key(name).unlink(missing_ok=True)
    bucket_folders.forget(name, home)


def _newest_backup(runtime: DockerRuntime, spec: LocalSpec | None, home: Home) -> str:
    """Return the id of the newest complete backup, for a workspace whose database is gone already."""
    if spec is None:
        return ""
    try:
        rows = agent.list_backups(runtime, agent.repository_for(spec, home), in_service=False)
    except OpsError:
        return ""
    return next((row.id for row in reversed(rows) if row.complete), "")


def _spec(selected: auto.Stack) -> LocalSpec | None:
    """Return the spec; None when the creation was interrupted before the settings were written."""
    try:
        return validate(LocalSpec, stack.read_settings(selected))
    except SpecError:
        return None

"""Create, stop and delete: the steps of target kubernetes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pulumi import automation as auto

from labelspace.home import Home
from labelspace.postgres import pgbackrest
from labelspace.spec import SpecError, validate
from labelspace.spec.kubernetes import KubernetesSpec
from labelspace_ops.backup import final_backup, upgrade
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.runtime.base import APPLICATION, stop
from labelspace_ops.runtime.cluster import ClusterRuntime
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import progress, state
from labelspace_ops.storage import buckets
from labelspace_ops.targets.base import CreateOptions, Deletion, Update
from labelspace_ops.targets.kubernetes import cluster, watch
from labelspace_ops.targets.kubernetes.backups import runtime_of


@contextmanager
def begin_update(spec: KubernetesSpec, options: CreateOptions) -> Iterator[Update[KubernetesSpec]]:
    """Check the cluster; raises ``UsageError`` or ``OpsError`` before anything is made."""
    if options.from_backup:
        raise UsageError("from_backup: target kubernetes cannot take a backup up in this version")
    cluster.check(spec)
    runtime = runtime_of(spec)
    _refuse_existing_data(spec, runtime, options)
    yield KubernetesUpdate(spec, runtime, known=options.known)


def _refuse_existing_data(spec: KubernetesSpec, runtime: ClusterRuntime, options: CreateOptions) -> None:
    """Volumes of an earlier workspace are used again only when that is asked for."""
    if options.known or options.reuse_data or "database" not in runtime.volumes():
        return
    raise UsageError(
        f"{spec.name}: namespace {spec.namespace} holds annotations of an earlier workspace: `labelspace"
        f" create {spec.name} --reuse-data` goes on with them; or choose another name"
    )


class KubernetesUpdate(Update[KubernetesSpec]):
    """The steps of an update in a cluster."""

    def __init__(self, spec: KubernetesSpec, runtime: ClusterRuntime, *, known: bool) -> None:
        super().__init__(spec)
        self._runtime, self._known = runtime, known
        self._old_version = self._backup = ""

    def before_settings(self, stack: auto.Stack) -> None:
        """Take and prove a backup before another version of CVAT; the upgrade itself is not rehearsed."""
        version, name = self.spec.cvat_version, self.spec.name
        outputs = state.outputs(name, Home.find()) if self._known else {}
        old = str(outputs.get("cvat_version", ""))
        if not old or old == version:
            return
        upgrade.refuse_older(version, old)
        upgrade.refuse_skipped_stop(name, version, old)
        if outputs.get("running") is False:
            raise UsageError(
                f"cvat_version: {name} is stopped, and an upgrade begins with a backup: `labelspace start"
                f" {name}` first"
            )
        self._old_version, self._backup = old, final_backup.take_final_backup(self._runtime)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Report the readiness job's log, and pods that do not start, while the update runs."""
        with progress.gate(self._runtime), watch.pods(self._runtime):
            yield

    def hint(self, error: str) -> str:
        """Name the pods that do not run, and why; after a failed upgrade the way back."""
        try:
            found = self._runtime.problems()
        except OpsError:
            found = {}
        back = upgrade.way_back(self.spec.name, self._old_version, self._backup) if self._backup else ""
        return "; ".join(filter(None, (*(f"{part}: {text}" for part, text in found.items()), back)))


def _spec(selected: auto.Stack) -> KubernetesSpec | None:
    """Return the spec; None when the creation was interrupted before the settings were written.

    Raises ``UsageError`` for settings that are refused: a delete without them would take no last backup.
    """
    settings = stack.read_settings(selected)
    if not settings.keys() - {"name"}:
        return None
    try:
        return validate(KubernetesSpec, settings)
    except SpecError as error:
        problems = "; ".join(error.problems)
        raise UsageError(
            f"{problems}: nothing was stopped or removed: correct it with `labelspace set"
            f" {selected.name} FIELD=VALUE`, and run the same command again"
        ) from None


def before_stop(selected: auto.Stack) -> str:
    """Take a last backup, and stop CVAT before its stores; return the backup's id."""
    spec = _spec(selected)
    if spec is None:
        return ""
    runtime = runtime_of(spec)
    last_backup = final_backup.take_final_backup(runtime, prove=False)
    stop(runtime, APPLICATION)
    return last_backup


def backups_location(name: str, home: Home) -> str:
    """Return the bucket of the workspace's backups."""
    spec = _spec(stack.select(name, home))
    return pgbackrest.location(spec.backup, Path(), name) if spec else ""


def delete(selected: auto.Stack, home: Home, destroy: Callable[[], None], *, purge: bool) -> Deletion:
    """Take a last backup, verify it and remove the workloads; ``purge``: volumes and backups too."""
    spec = _spec(selected)
    if spec is None:
        destroy()
        return Deletion("", "")
    runtime = runtime_of(spec)
    last_backup = "" if purge else final_backup.take_final_backup(runtime)
    stop(runtime, APPLICATION)
    location = pgbackrest.location(spec.backup, Path(), spec.name)
    destroy()
    if not purge:
        again = f"labelspace create {spec.name} --reuse-data --target kubernetes"  # and its other settings
        return Deletion(
            last_backup, location, kept=f"the volumes in namespace {spec.namespace}", recreate=again
        )
    runtime.remove_volumes(runtime.volumes())
    if not spec.kubernetes.namespace:
        runtime.remove_namespace()
    if spec.backup.bucket:
        buckets.remove_backups(spec.backup.bucket, spec.name)
    home.backup_key(spec.name).unlink(missing_ok=True)
    return Deletion("", "")

"""Create, stop and delete: the steps of target scaleway."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pulumi import automation as auto
from pydantic import SecretStr

from labelspace.home import Home
from labelspace.spec import ScalewaySpec, Settings, SpecError
from labelspace.targets.scaleway import host_name
from labelspace.targets.scaleway.orderly_stop import STOP_CONTAINERS
from labelspace.targets.scaleway.prices import VOLUME_GB
from labelspace_ops.backup.upgrade import way_back
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import state
from labelspace_ops.targets.base import CreateOptions, Deletion, Update
from labelspace_ops.targets.scaleway import (
    account,
    availability,
    backups,
    database_snapshots,
    earlier_database,
    error_hints,
    import_backup,
    orphans,
    retained,
    server_database,
    upgrade,
)
from labelspace_ops.targets.scaleway import ssh as server_ssh
from labelspace_ops.targets.scaleway.answers import Snapshot
from labelspace_ops.targets.scaleway.cost_text import cost_text


def complete_spec(spec: ScalewaySpec, cloud: account.Account, resources: retained.Resources) -> ScalewaySpec:
    """Return the spec with the deployers and with the existing resources that the workspace reuses.

    Raises ``UsageError`` for what the account does not offer, or what would lose sight of data.
    """
    _check_host_name(spec)
    cost_text(spec)  # raises for an unknown type before the account is asked
    retained.same_project(spec, resources)
    retained.same_database(spec, resources)
    availability.check(cloud, spec, resources)
    deployers = retained.deployers(spec, resources, ":".join(cloud.identity()))
    with_project, project = retained.with_project(
        cloud, retained.with_settings(spec, deployers=deployers), resources
    )
    complete = retained.with_buckets(
        cloud, retained.with_volume(cloud, with_project, project, resources), project, resources
    )
    earlier_database.same_database(cloud, complete, project, resources)
    return complete


def _check_host_name(spec: ScalewaySpec) -> None:
    try:
        host_name.check(spec)
    except SpecError as error:
        raise UsageError(str(error)) from None


def known_resources(name: str, home: Home) -> retained.Resources:
    """Return the resources of the workspace's stack; an empty list without a stack."""
    return state.resources(name, home) if name in state.names(home) else []


def _account(name: str, home: Home) -> account.Account:
    return account.for_workspace(name, home) if name in state.names(home) else account.find()


def resolve_spec(spec: ScalewaySpec, home: Home) -> ScalewaySpec:
    """Return the complete spec of a new or existing workspace, with the keys of this machine."""
    complete = complete_spec(spec, _account(spec.name, home), known_resources(spec.name, home))
    return with_backup_key(with_ssh_key(complete, home), home)


def preview_spec(spec: ScalewaySpec, home: Home) -> ScalewaySpec:
    """As ``resolve_spec``, without writing: a key that the update will make is another one here."""
    complete = complete_spec(spec, _account(spec.name, home), known_resources(spec.name, home))
    if complete.scaleway.ssh_cidrs and not complete.scaleway.ssh_public_key:
        complete = retained.with_settings(
            complete, ssh_public_key=server_ssh.known_public_key(spec.name, home)
        )
    if complete.scaleway.database != "server" or complete.backup.encryption_key:
        return complete
    return _with_key(complete, home.stored_backup_key(spec.name) or secrets.token_urlsafe(32))


def with_ssh_key(spec: ScalewaySpec, home: Home) -> ScalewaySpec:
    """Return the spec with this machine's public SSH key when ``ssh_cidrs`` opens SSH."""
    if spec.scaleway.ssh_public_key or not spec.scaleway.ssh_cidrs:
        return spec
    return retained.with_settings(spec, ssh_public_key=server_ssh.public_key(spec.name, home))


def with_backup_key(spec: ScalewaySpec, home: Home) -> ScalewaySpec:
    """Return the spec with the key of its backups; the stack's file and the recovery kit hold the key."""
    if spec.scaleway.database != "server":
        return spec
    given = spec.backup.encryption_key.get_secret_value() if spec.backup.encryption_key else ""
    try:
        return _with_key(spec, home.made_backup_key(spec.name, given))
    except (OSError, ValueError) as error:
        raise UsageError(str(error)) from None


def _with_key(spec: ScalewaySpec, key: str) -> ScalewaySpec:
    backup = spec.backup.model_copy(update={"encryption_key": SecretStr(key)})
    return spec.model_copy(update={"backup": backup})


@contextmanager
def begin_update(spec: ScalewaySpec, home: Home, options: CreateOptions) -> Iterator[Update[ScalewaySpec]]:
    """Prepare what a new workspace starts from, remove orphans, complete the spec, rehearse an upgrade."""
    known = known_resources(spec.name, home)
    with import_backup.begun(spec, known, home, options.from_backup) as source:
        cost_text(spec)  # raises for an unknown type before anything is removed
        _remove_orphans(spec.name, home)
        complete = resolve_spec(spec, home)
        if source:
            import_backup.must_hold_nothing(complete, home)
        old, backup = upgrade.before(complete, home)
        yield ScalewayUpdate(complete, home, source, _notices(spec, complete), (old, backup))


class ScalewayUpdate(Update[ScalewaySpec]):
    """The steps of an update on Scaleway."""

    def __init__(
        self,
        spec: ScalewaySpec,
        home: Home,
        source: import_backup.Portable | None,
        notices: list[str],
        upgraded: tuple[str, str],
    ) -> None:
        super().__init__(spec)
        self._home, self._source, self._notices, self._upgraded = home, source, notices, upgraded

    def before_run(self, stack: auto.Stack) -> None:
        """Mark a workspace that will be filled from a backup, and report the cost."""
        if self._source:
            import_backup.mark(stack.name, self._home, self._source)
        for notice in self._notices:
            message(notice)

    def hint(self, error: str) -> str:
        """Return the next step after a refusal, and how to return to the old version after an upgrade."""
        old, backup = self._upgraded
        lines = [error_hints.next_step(error, self.spec)]
        return "\n".join([*lines, way_back(self.spec.name, old, backup)] if backup else lines)

    def after(self) -> None:
        """Fill a new workspace from its backup."""
        if self._source:
            _fill(self.spec, self._home, self._source)


def _fill(spec: ScalewaySpec, home: Home, source: import_backup.Portable) -> None:
    """Fill a workspace; then back up a database on the server. A managed one has a dump already."""
    try:
        import_backup.fill(server_ssh.server_of(spec.name, home), source)
        if spec.scaleway.database == "server":
            server_database.take_backup(spec.name, home)
    except OpsError as error:
        raise OpsError(
            f"{error}\n{spec.name} is half made: `labelspace create {spec.name}` goes on from {source.text}"
        ) from None
    import_backup.forget(spec.name, home)


def _remove_orphans(name: str, home: Home) -> None:
    resources = known_resources(name, home)
    if retained.resources_of_type(resources, retained.VOLUME):
        for server in orphans.remove(_account(name, home), name, resources):
            message(f"  removed orphaned server {server}, which held the data volume")


def _notices(requested: ScalewaySpec, complete: ScalewaySpec) -> list[str]:
    """Return the cost of the update, and the reused volume of a deleted workspace."""
    volume, cost = complete.scaleway.adopt_volume, f"  costs {cost_text(complete)}"
    if not volume or volume == requested.scaleway.adopt_volume:
        return [cost]
    media = "media belong to the annotations of the dumps: restore those before you create tasks"
    holds = "annotations are on it" if requested.scaleway.database == "server" else media
    size = complete.scaleway.data_gb
    return [
        cost,
        f"  reuses volume {volume} ({size} GB) of a deleted {requested.name}: its {holds}",
    ]


def before_stop(selected: auto.Stack, home: Home) -> str:
    """Take a last backup or dump, then stop the containers, if the server allows SSH from this machine.

    Return the id of the backup or empty.
    """
    settings = stack.read_settings(selected)
    last_backup = _last_copy(selected.name, home, settings, prove=False)
    stop_containers(selected.name, home, settings)
    return last_backup


def delete(selected: auto.Stack, home: Home, destroy: Callable[[], None]) -> Deletion:
    """Take a last backup and a last snapshot, then remove everything that is billed by the hour.

    Raises ``OpsError`` before anything is removed when the snapshot fails.
    """
    name, resources = selected.name, state.resources(selected.name, home)
    outputs = state.stack_outputs(resources)
    last_backup, rows = (
        _last_copy(name, home, stack.read_settings(selected), prove=True),
        list[Snapshot](),
    )
    if database_snapshots.database(resources):
        last_backup, rows = _last_snapshot(name, home, resources)
    stop_containers(name, home, stack.read_settings(selected))
    destroy()
    import_backup.forget(name, home)
    kept = [*_kept_volumes(name, resources), *database_snapshots.retained_text(rows), "its buckets"]
    return Deletion(last_backup, outputs.get("backups", {}).get("where", ""), kept="; ".join(kept))


def stop_containers(name: str, home: Home, settings: Settings) -> None:
    """Stop the containers in order, because deleting a server cuts its power, and stopping one may.

    Without SSH, PostgreSQL replays its log from the data volume when a new server starts.
    """
    if not server_ssh.ssh_allowed(settings):
        return
    try:
        server_ssh.server_of(name, home).run("sh", "-c", STOP_CONTAINERS)
    except OpsError as error:
        message(f"  {name}: its containers were not stopped before the server goes ({error})")


def _last_copy(name: str, home: Home, settings: Settings, *, prove: bool) -> str:
    """Take a dump of a managed database or a backup of one on the server; return its id or empty."""
    if server_database.has_own_database(settings):
        return server_database.take_final_backup(name, home, prove=prove)
    return backups.last_dump(name, home, settings)


def _last_snapshot(name: str, home: Home, resources: retained.Resources) -> tuple[str, list[Snapshot]]:
    """Take a last snapshot; return its id and all snapshots that stay. Raises ``OpsError``."""
    database = database_snapshots.database(resources)
    if database is None:
        return "", []
    cloud = account.for_workspace(name, home)
    if database_snapshots.is_gone(cloud, database):
        message(f"  {name}: no last snapshot, because its database is already removed")
        return "", database_snapshots.snapshots(cloud, database)
    message(f"  {name}: taking a last snapshot of the database")
    try:
        last_backup = database_snapshots.take_snapshot(cloud, database, f"labelspace-{name}-last").id
    except OpsError as error:
        raise OpsError(
            f"{name}: the last snapshot failed ({error}), nothing was removed: try again; `pulumi destroy"
            f" --stack {name}` removes it without one"
        ) from None
    return last_backup, database_snapshots.snapshots(cloud, database)


def _kept_volumes(name: str, resources: retained.Resources) -> list[str]:
    sizes = [int(one.outputs["sizeInGb"]) for one in retained.resources_of_type(resources, retained.VOLUME)]
    return [f"volume labelspace-{name}-data ({size * VOLUME_GB:.2f} EUR a month)" for size in sizes]

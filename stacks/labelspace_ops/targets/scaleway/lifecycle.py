"""The steps of create, stop and delete that only Scaleway needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pulumi import automation as auto
from pydantic import SecretStr

from labelspace.home import Home
from labelspace.spec import ScalewaySpec
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
from labelspace_ops.targets.scaleway.costs import costs


def complete_spec(spec: ScalewaySpec, mine: account.Account, resources: retained.Resources) -> ScalewaySpec:
    """The wish with what only the account knows: who provisions, and what of it is there already."""
    costs(spec)  # raises for a type that is not offered, before anybody is asked
    retained.same_project(spec, resources)
    retained.same_database(spec, resources)
    availability.check(mine, spec, resources)
    who = spec.scaleway.provisioner or ":".join(mine.identity())
    wished, project = retained.with_project(mine, retained.with_settings(spec, provisioner=who), resources)
    whole = retained.with_buckets(
        mine, retained.with_volume(mine, wished, project, resources), project, resources
    )
    earlier_database.same_database(mine, whole, project, resources)
    return whole


def known_resources(name: str, home: Home) -> retained.Resources:
    """What the stack of a name knows to exist; nothing when there is none."""
    return state.resources(name, home) if name in state.names(home) else []


def _account(name: str, home: Home) -> account.Account:
    return account.for_workspace(name, home) if name in state.names(home) else account.find()


def resolve_spec(spec: ScalewaySpec, home: Home) -> ScalewaySpec:
    """``completed`` for a workspace of this machine, new or not."""
    whole = complete_spec(spec, _account(spec.name, home), known_resources(spec.name, home))
    return with_backup_key(with_ssh_key(whole, home), home)


def with_ssh_key(spec: ScalewaySpec, home: Home) -> ScalewaySpec:
    """The wish with the public half of this machine's key, where the server shall let admins in."""
    if spec.scaleway.ssh_public_key or not spec.scaleway.ssh_cidrs:
        return spec
    return retained.with_settings(spec, ssh_public_key=server_ssh.public_key(spec.name, home))


def with_backup_key(spec: ScalewaySpec, home: Home) -> ScalewaySpec:
    """The wish with the key of its backups: it travels in the stack's file, and is in the recovery kit."""
    if spec.scaleway.database != "server":
        return spec
    given = spec.backup.encryption_key.get_secret_value() if spec.backup.encryption_key else ""
    try:
        key = SecretStr(home.made_backup_key(spec.name, given))
    except (OSError, ValueError) as error:
        raise UsageError(str(error)) from None
    return spec.model_copy(update={"backup": spec.backup.model_copy(update={"encryption_key": key})})


@contextmanager
def begin_update(spec: ScalewaySpec, home: Home, options: CreateOptions) -> Iterator[Update[ScalewaySpec]]:
    """Prepare what a new workspace starts from, remove orphans, complete the spec, rehearse an upgrade."""
    known = known_resources(spec.name, home)
    with import_backup.begun(spec, known, home, options.from_backup) as source:
        cost = costs(spec)
        _remove_orphans(spec.name, home)
        whole = resolve_spec(spec, home)
        if source:
            import_backup.must_hold_nothing(whole, home)
        old, backup = upgrade.before(whole, home)
        yield ScalewayUpdate(whole, home, source, _notices(spec, whole, cost), (old, backup))


class ScalewayUpdate(Update[ScalewaySpec]):
    """An update of a workspace on Scaleway."""

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
        """Mark a workspace that is to be filled from a backup, and say what the update costs."""
        if self._source:
            import_backup.mark(stack.name, self._home, self._source)
        for notice in self._notices:
            message(notice)

    def hint(self, error: str) -> str:
        """What to do about what Scaleway refused, and the way back after an upgrade."""
        old, backup = self._upgraded
        lines = [error_hints.next_step(error, self.spec)]
        return "\n".join([*lines, way_back(self.spec.name, old, backup)] if backup else lines)

    def after(self) -> None:
        """Fill a new workspace from its backup."""
        if self._source:
            _fill(self.spec, self._home, self._source)


def _fill(spec: ScalewaySpec, home: Home, source: import_backup.Portable) -> None:
    """A database on the server is backed up afterwards, with CVAT's files; a managed one has a dump."""
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
            message(
                f"  removed server {server}: made by a call whose answer was lost, it held the data volume"
            )


def _notices(asked: ScalewaySpec, whole: ScalewaySpec, cost: str) -> list[str]:
    """What the update costs, and which volume of an earlier workspace it continues with."""
    volume = whole.scaleway.adopt_volume
    if not volume or volume == asked.scaleway.adopt_volume:
        return [f"  costs {cost}"]
    media = "media belong to the annotations of the dumps: bring those back before new tasks are made"
    holds = "annotations are on it" if asked.scaleway.database == "server" else media
    size = whole.scaleway.data_gb
    return [
        f"  costs {cost}",
        f"  takes up volume {volume} ({size} GB) that an earlier {asked.name} left: its {holds}",
    ]


def before_stop(chosen: auto.Stack, home: Home) -> str:
    """A last backup or dump, where the server lets this machine in."""
    return _last_copy(chosen.name, home, stack.read_settings(chosen), prove=False)


def delete(chosen: auto.Stack, home: Home, destroy: Callable[[], None]) -> Deletion:
    """Take a last backup and a last snapshot, then remove all that is paid by the hour."""
    name, resources = chosen.name, state.resources(chosen.name, home)
    outputs = state.stack_outputs(resources)
    last, rows = (
        _last_copy(name, home, stack.read_settings(chosen), prove=True),
        list[database_snapshots.Row](),
    )
    if database_snapshots.database(resources):
        last, rows = _last_snapshot(name, home, resources)
    destroy()
    import_backup.forget(name, home)
    kept = [*_kept_volumes(name, resources), *database_snapshots.retained_text(rows), "its buckets"]
    return Deletion(last, outputs.get("backups", {}).get("where", ""), kept="; ".join(kept))


def _last_copy(name: str, home: Home, settings: dict[str, Any], *, prove: bool) -> str:
    """The id of a dump of a managed database, of a backup of one on the server; empty for none."""
    if server_database.has_own_database(settings):
        return server_database.take_final_backup(name, home, prove=prove)
    return backups.last_dump(name, home, settings)


def _last_snapshot(
    name: str, home: Home, resources: retained.Resources
) -> tuple[str, list[database_snapshots.Row]]:
    """Its id, and all snapshots that stay; raises before anything is removed when it cannot be taken."""
    database = database_snapshots.database(resources)
    if database is None:
        return "", []
    mine = account.for_workspace(name, home)
    if database_snapshots.is_gone(mine, database):
        message(f"  {name}: its database is gone already: no last snapshot")
        return "", database_snapshots.snapshots(mine, database)
    message(f"  {name}: a last snapshot of the database")
    try:
        last = str(database_snapshots.take_snapshot(mine, database, f"labelspace-{name}-last")["id"])
    except OpsError as error:
        raise OpsError(
            f"{name}: the last snapshot failed ({error}): nothing was removed. Try again; `pulumi destroy"
            f" --stack {name}` removes it without one"
        ) from None
    return last, database_snapshots.snapshots(mine, database)


def _kept_volumes(name: str, resources: retained.Resources) -> list[str]:
    sizes = [
        int(one["outputs"]["sizeInGb"]) for one in retained.resources_of_type(resources, retained.VOLUME)
    ]
    return [f"volume labelspace-{name}-data ({size * VOLUME_GB:.2f} EUR a month)" for size in sizes]

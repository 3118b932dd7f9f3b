"""The life of a workspace on Scaleway: made, stopped, deleted."""

from __future__ import annotations

from functools import partial
from typing import Any

from pulumi import automation as auto
from pydantic import SecretStr

from labelspace.home import Home
from labelspace.spec import WorkspaceSpec
from labelspace.targets.scaleway.prices import VOLUME_GB
from labelspace_ops.backup import upgrade as backup_upgrade
from labelspace_ops.backup.upgrade import way_back
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import progress, state
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
from labelspace_ops.targets.scaleway import (
    ssh as server_ssh,
)
from labelspace_ops.targets.scaleway.costs import costs
from labelspace_ops.workspaces import program

LOOKED = partial(program.run, looked=True, before_upgrade=backup_upgrade.hook)
"""The program after ``completed``, which has looked at the account already."""
ASKED = partial(LOOKED, before_upgrade=None)
"""The program after ``upgrade.before``, too."""


def complete_spec(spec: WorkspaceSpec, mine: account.Account, resources: retained.Resources) -> WorkspaceSpec:
    """The wish with what only the account knows: who provisions, and what of it is there already."""
    costs(spec)  # raises for a type that is not offered, before anybody is asked
    retained.same_project(spec, resources)
    retained.same_database(spec, resources)
    availability.check(mine, spec, resources)
    who = spec.scaleway.provisioner or ":".join(mine.who())
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


def resolve_spec(spec: WorkspaceSpec, home: Home) -> WorkspaceSpec:
    """``completed`` for a workspace of this machine, new or not."""
    whole = complete_spec(spec, _account(spec.name, home), known_resources(spec.name, home))
    return with_backup_key(with_ssh_key(whole, home), home)


def with_ssh_key(spec: WorkspaceSpec, home: Home) -> WorkspaceSpec:
    """The wish with the public half of this machine's key, where the server shall let admins in."""
    if spec.scaleway.ssh_public_key or not spec.scaleway.ssh_cidrs:
        return spec
    return retained.with_settings(spec, ssh_public_key=server_ssh.public_key(spec.name, home))


def with_backup_key(spec: WorkspaceSpec, home: Home) -> WorkspaceSpec:
    """The wish with the key of its backups: it travels in the stack's file, and is in the recovery kit."""
    if spec.scaleway.database != "server":
        return spec
    given = spec.backup.encryption_key.get_secret_value() if spec.backup.encryption_key else ""
    try:
        key = SecretStr(home.made_backup_key(spec.name, given))
    except (OSError, ValueError) as error:
        raise UsageError(str(error)) from None
    return spec.model_copy(update={"backup": spec.backup.model_copy(update={"encryption_key": key})})


def create(spec: WorkspaceSpec, home: Home, *, from_backup: str = "") -> auto.Stack:
    """Make the workspace, or take it up where an earlier attempt ended.

    ``from_backup``: begin with the annotations of another one, as ``origin.begun`` takes it.
    """
    with (
        locks.hold(home, spec.name, "creating"),
        import_backup.begun(spec, known_resources(spec.name, home), home, from_backup) as begins,
    ):
        chosen = _made(spec, home, begins)
        if begins:
            _filled(spec, home, begins)
    return chosen


def _made(spec: WorkspaceSpec, home: Home, begins: import_backup.Portable | None) -> auto.Stack:
    cost = costs(spec)
    _let_strays_go(spec.name, home)
    whole = resolve_spec(spec, home)
    if begins:
        import_backup.must_hold_nothing(whole, home)
    old, backup = upgrade.before(whole, home)
    chosen = stack.create_or_select(spec.name, home)
    stack.write_settings(chosen, whole)
    if begins:
        import_backup.mark(spec.name, home, begins)
    locks.clear_stale(home, chosen)
    message(f"  costs {cost}")
    _say_taken_up(spec, whole)
    try:
        stack.update(chosen, ASKED, progress.Resources().on_event)
    except OpsError as error:
        hint = f"\n{way_back(spec.name, old, backup)}" if backup else ""
        raise OpsError(f"{error}\n{error_hints.next_step(str(error), whole)}{hint}") from None
    return chosen


def _filled(spec: WorkspaceSpec, home: Home, begins: import_backup.Portable) -> None:
    """With a database on the server a backup follows, for CVAT's files; a managed one has a dump already."""
    try:
        import_backup.fill(server_ssh.server_of(spec.name, home), begins)
        if spec.scaleway.database == "server":
            server_database.take_backup(spec.name, home)
    except OpsError as error:
        raise OpsError(
            f"{error}\n{spec.name} is half made: `labelspace create {spec.name}` goes on from {begins.text}"
        ) from None
    import_backup.forget(spec.name, home)


def _let_strays_go(name: str, home: Home) -> None:
    resources = known_resources(name, home)
    if retained.resources_of_type(resources, retained.VOLUME):
        for server in orphans.remove(_account(name, home), name, resources):
            message(
                f"  removed server {server}: made by a call whose answer was lost, it held the data volume"
            )


def _say_taken_up(spec: WorkspaceSpec, whole: WorkspaceSpec) -> None:
    taken = whole.scaleway.adopt_volume
    if taken and taken != spec.scaleway.adopt_volume:
        media = "media belong to the annotations of the dumps: bring those back before new tasks are made"
        holds = "annotations are on it" if spec.scaleway.database == "server" else media
        size = whole.scaleway.data_gb
        message(f"  takes up volume {taken} ({size} GB) that an earlier {spec.name} left: its {holds}")


def stop(name: str, home: Home) -> dict[str, Any]:
    """Stop the server, which then costs nothing; everything else stays, and is paid on."""
    chosen = stack.select(name, home)
    with locks.hold(home, name, "stopping"):
        locks.clear_stale(home, chosen)
        last = _last_copy(name, home, stack.read_settings(chosen), prove=False)
        stack.set_running(chosen, running=False)
        stack.update(chosen, LOOKED, progress.Resources().on_event)
    where = state.outputs(name, home)["backups"]["where"]
    return {"name": name, "status": "stopped", "backed_up": bool(last), "backups": where}


def delete(name: str, home: Home) -> dict[str, Any]:
    """Take a last snapshot, remove all that is paid by the hour; says what stays and what that costs."""
    chosen, resources = stack.select(name, home), state.resources(name, home)
    outputs = state.stack_outputs(resources)
    with locks.hold(home, name, "deleting"):
        locks.clear_stale(home, chosen)
        last, rows = (
            _last_copy(name, home, stack.read_settings(chosen), prove=True),
            list[database_snapshots.Row](),
        )
        if database_snapshots.database(resources):
            last, rows = _last_snapshot(name, home, resources)
        stack.destroy(chosen, progress.Resources().on_event)
        chosen.workspace.remove_stack(name)
        import_backup.forget(name, home)
    return {
        "name": name,
        "backed_up": bool(last),
        "last_backup": last or None,
        "backups": outputs.get("backups", {}).get("where"),
        "purged": False,
        "kept": "; ".join(
            [*_kept_volumes(name, resources), *database_snapshots.retained_text(rows), "its buckets"]
        ),
    }


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

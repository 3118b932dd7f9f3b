"""The life of a workspace on Scaleway: made, stopped, deleted."""

from __future__ import annotations

from functools import partial
from typing import Any

from pulumi import automation as auto
from pydantic import SecretStr

from labelspace.home import Home
from labelspace.scaleway.prices import VOLUME_GB
from labelspace.spec import WorkspaceSpec
from labelspace_ops import locks, program, progress, stack, state
from labelspace_ops.backup.upgrade import way_back
from labelspace_ops.cloud import (
    account,
    backups,
    copies,
    earlier,
    far,
    inside,
    left,
    origin,
    stock,
    strays,
    troubles,
    upgrade,
)
from labelspace_ops.cloud.costs import costs
from labelspace_ops.commands.app import say
from labelspace_ops.errors import OpsError, UsageError

LOOKED = partial(program.run, looked=True)
"""The program after ``completed``, which has looked at the account already."""
ASKED = partial(LOOKED, before_upgrade=None)
"""The program after ``upgrade.before``, too."""


def completed(spec: WorkspaceSpec, mine: account.Account, resources: left.Resources) -> WorkspaceSpec:
    """The wish with what only the account knows: who provisions, and what of it is there already."""
    costs(spec)  # raises for a type that is not offered, before anybody is asked
    left.same_project(spec, resources)
    left.same_database(spec, resources)
    stock.check(mine, spec, resources)
    who = spec.scaleway.provisioner or ":".join(mine.who())
    wished, project = left.with_project(mine, left.changed(spec, provisioner=who), resources)
    whole = left.with_buckets(mine, left.with_volume(mine, wished, project, resources), project, resources)
    earlier.same_database(mine, whole, project, resources)
    return whole


def known(name: str, home: Home) -> left.Resources:
    """What the stack of a name knows to exist; nothing when there is none."""
    return state.resources(name, home) if name in state.names(home) else []


def _account(name: str, home: Home) -> account.Account:
    return account.of(name, home) if name in state.names(home) else account.find()


def wished(spec: WorkspaceSpec, home: Home) -> WorkspaceSpec:
    """``completed`` for a workspace of this machine, new or not."""
    whole = completed(spec, _account(spec.name, home), known(spec.name, home))
    return with_backup_key(with_key(whole, home), home)


def with_key(spec: WorkspaceSpec, home: Home) -> WorkspaceSpec:
    """The wish with the public half of this machine's key, where the server shall let admins in."""
    if spec.scaleway.admin_key or not spec.scaleway.admin_cidrs:
        return spec
    return left.changed(spec, admin_key=far.key(spec.name, home))


def with_backup_key(spec: WorkspaceSpec, home: Home) -> WorkspaceSpec:
    """The wish with the key of its backups: it travels in the stack's file, and is in the recovery kit."""
    if spec.scaleway.database != "server":
        return spec
    given = spec.backup.key.get_secret_value() if spec.backup.key else ""
    try:
        key = SecretStr(home.made_backup_key(spec.name, given))
    except (OSError, ValueError) as error:
        raise UsageError(str(error)) from None
    return spec.model_copy(update={"backup": spec.backup.model_copy(update={"key": key})})


def create(spec: WorkspaceSpec, home: Home, *, from_backup: str = "") -> auto.Stack:
    """Make the workspace, or take it up where an earlier attempt ended.

    ``from_backup``: begin with the annotations of another one, as ``origin.begun`` takes it.
    """
    with (
        locks.hold(home, spec.name, "creating"),
        origin.begun(spec, known(spec.name, home), home, from_backup) as begins,
    ):
        chosen = _made(spec, home, begins)
        if begins:
            _filled(spec, home, begins)
    return chosen


def _made(spec: WorkspaceSpec, home: Home, begins: origin.Portable | None) -> auto.Stack:
    cost = costs(spec)
    _let_strays_go(spec.name, home)
    whole = wished(spec, home)
    if begins:
        origin.must_hold_nothing(whole, home)
    old, backup = upgrade.before(whole, home)
    chosen = stack.create_or_select(spec.name, home)
    stack.write_settings(chosen, whole)
    if begins:
        origin.mark(spec.name, home, begins)
    locks.clear_stale(home, chosen)
    say(f"  costs {cost}")
    _say_taken_up(spec, whole)
    try:
        stack.update(chosen, ASKED, progress.Resources().on_event)
    except OpsError as error:
        hint = f"\n{way_back(spec.name, old, backup)}" if backup else ""
        raise OpsError(f"{error}\n{troubles.next_step(str(error), whole)}{hint}") from None
    return chosen


def _filled(spec: WorkspaceSpec, home: Home, begins: origin.Portable) -> None:
    """With a database on the server a backup follows, for CVAT's files; a managed one has a dump already."""
    try:
        origin.fill(far.server(spec.name, home), begins)
        if spec.scaleway.database == "server":
            inside.backed_up(spec.name, home)
    except OpsError as error:
        raise OpsError(
            f"{error}\n{spec.name} is half made: `labelspace create {spec.name}` goes on from {begins.text}"
        ) from None
    origin.forget(spec.name, home)


def _let_strays_go(name: str, home: Home) -> None:
    resources = known(name, home)
    if left.of_kind(resources, left.VOLUME):
        for server in strays.let_go(_account(name, home), name, resources):
            say(f"  removed server {server}: made by a call whose answer was lost, it held the data volume")


def _say_taken_up(spec: WorkspaceSpec, whole: WorkspaceSpec) -> None:
    taken = whole.scaleway.adopt_volume
    if taken and taken != spec.scaleway.adopt_volume:
        media = "media belong to the annotations of the dumps: bring those back before new tasks are made"
        holds = "annotations are on it" if spec.scaleway.database == "server" else media
        size = whole.scaleway.data_gb
        say(f"  takes up volume {taken} ({size} GB) that an earlier {spec.name} left: its {holds}")


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
    outputs = state.exported(resources)
    with locks.hold(home, name, "deleting"):
        locks.clear_stale(home, chosen)
        last, rows = _last_copy(name, home, stack.read_settings(chosen), prove=True), list[copies.Row]()
        if copies.database(resources):
            last, rows = _last_snapshot(name, home, resources)
        stack.destroy(chosen, progress.Resources().on_event)
        chosen.workspace.remove_stack(name)
        origin.forget(name, home)
    return {
        "name": name,
        "backed_up": bool(last),
        "last_backup": last or None,
        "backups": outputs.get("backups", {}).get("where"),
        "purged": False,
        "kept": "; ".join([*_kept_volumes(name, resources), *copies.kept(rows), "its buckets"]),
    }


def _last_copy(name: str, home: Home, settings: dict[str, Any], *, prove: bool) -> str:
    """The id of a dump of a managed database, of a backup of one on the server; empty for none."""
    if inside.has(settings):
        return inside.last_backup(name, home, prove=prove)
    return backups.last_dump(name, home, settings)


def _last_snapshot(name: str, home: Home, resources: left.Resources) -> tuple[str, list[copies.Row]]:
    """Its id, and all snapshots that stay; raises before anything is removed when it cannot be taken."""
    database = copies.database(resources)
    if database is None:
        return "", []
    mine = account.of(name, home)
    if copies.is_gone(mine, database):
        say(f"  {name}: its database is gone already: no last snapshot")
        return "", copies.snapshots(mine, database)
    say(f"  {name}: a last snapshot of the database")
    try:
        last = str(copies.take(mine, database, f"labelspace-{name}-last")["id"])
    except OpsError as error:
        raise OpsError(
            f"{name}: the last snapshot failed ({error}): nothing was removed. Try again; `pulumi destroy"
            f" --stack {name}` removes it without one"
        ) from None
    return last, copies.snapshots(mine, database)


def _kept_volumes(name: str, resources: left.Resources) -> list[str]:
    sizes = [int(one["outputs"]["sizeInGb"]) for one in left.of_kind(resources, left.VOLUME)]
    return [f"volume labelspace-{name}-data ({size * VOLUME_GB:.2f} EUR a month)" for size in sizes]

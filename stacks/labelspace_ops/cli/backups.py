"""Commands on backups: ``backup``, ``backups``, ``restore``, ``drill``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.cli.app import Json, Name, Yes, app, print_json, say
from labelspace_ops.cli.flags import with_progress
from labelspace_ops.cli.own_stack import on_any_stack

if TYPE_CHECKING:
    from labelspace_ops.backup import base
    from labelspace_ops.backup.models import BackupRow


def _backups_of(name: str) -> base.Backups:
    from labelspace.home import Home
    from labelspace_ops.workspaces.backups import for_workspace

    return for_workspace(name, Home.find())


@app.command()
@on_any_stack
@with_progress
def backup(
    name: Name,
    full: Annotated[bool, typer.Option("--full", help="copy everything, not only changes")] = False,
    as_json: Json = False,
) -> None:
    """Take a backup now, in addition to the scheduled ones."""
    done = _backups_of(name).take(full=full)
    if as_json:
        print_json(done)
        return
    typer.echo(f"{name}: backup {done.id} taken ({done.added / 1e6:.1f} MB added)")
    if done.kind != "snapshot":
        say(f"verify it: labelspace drill {name}")


@app.command()
@on_any_stack
def backups(
    name: Name,
    accept: Annotated[
        str,
        typer.Option(
            help="the id of a backup with far fewer files of CVAT: older ones expire again; or of the newest"
            " backup that is gone from its bucket: new backups begin"
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """List the backups, newest last, and the times that can be restored."""
    from labelspace_ops.backup.formatting import restorable_from
    from labelspace_ops.backup.models import Backups

    workspace_backups = _backups_of(name)
    if accept:
        workspace_backups.accept(accept)
    rows = workspace_backups.listing()
    if as_json:
        print_json(Backups(name=name, backups=rows, restorable_from=restorable_from(rows)))
        return
    for row in rows:
        typer.echo(_line(row))
    say(workspace_backups.restorable(rows))


def _line(row: BackupRow) -> str:
    """Format a backup; the id is not shortened, because ``restore --backup`` needs it."""
    from labelspace_ops.backup.formatting import verification

    size = f"{row.size / 1e6:.1f} MB"
    return f"  {row.id:<33}  {row.when}  {row.kind:<8}  {size:>10}  {verification(row)}"


@app.command()
@on_any_stack
@with_progress
def restore(
    name: Name,
    to: Annotated[str, typer.Option(help="a time, such as 2026-11-24T15:04:00Z")] = "",
    backup: Annotated[str, typer.Option(help="the id of a backup (labelspace backups)")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Restore annotations to a time, a backup or the last change; current ones are backed up first."""
    workspace_backups = _backups_of(name)
    choice = workspace_backups.chosen(to=to, backup=backup)
    if not yes:
        typer.confirm(f"Stop {name} and restore its annotations to {choice.text}?", abort=True)
    done = workspace_backups.restore(choice)
    if as_json:
        print_json(done)
        return
    typer.echo(f"{name}: restored to {done.to} (last change: {done.last_change or 'none after the backup'})")
    typer.echo(f"  lost  {done.lost}")
    if done.kept and not done.kept.startswith("replaced-"):
        typer.echo(f"  undo  labelspace restore {name} --backup {done.kept}")


@app.command()
@on_any_stack
@with_progress
def drill(
    name: Name,
    backup: Annotated[str, typer.Option(help="the id of a backup; the newest by default")] = "",
    as_json: Json = False,
) -> None:
    """Verify a backup: restore it to a scratch database and compare it with what was recorded."""
    from labelspace_ops.backup.formatting import proof_summary
    from labelspace_ops.core.errors import OpsError

    proof = _backups_of(name).drill(backup)
    if as_json:
        print_json(proof)
    elif proof.ok:
        typer.echo(f"{name}: {proof_summary(proof)}")
    if not proof.ok:
        raise OpsError(f"{name}: the drill of {proof.backup or 'a backup'} failed: {proof.reason}")

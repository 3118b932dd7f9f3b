"""Commands on backups: ``backup``, ``backups``, ``restore``, ``drill``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelspace_ops.cli.app import Json, Name, Yes, app, print_json, say

if TYPE_CHECKING:
    from labelspace_ops.backup.base import Backups


def _of(name: str) -> Backups:
    from labelspace.home import Home
    from labelspace_ops.workspaces.backups import for_workspace

    return for_workspace(name, Home.find())


@app.command()
def backup(
    name: Name,
    full: Annotated[bool, typer.Option("--full", help="everything anew, not only what changed")] = False,
    as_json: Json = False,
) -> None:
    """Take a backup now, beside those of the schedule."""
    done = _of(name).take(full=full)
    if as_json:
        print_json(done)
        return
    typer.echo(f"{name}: backup {done['id']} taken ({done['added'] / 1e6:.1f} MB added)")
    if done["kind"] != "snapshot":
        say(f"prove it: labelspace drill {name}")


@app.command()
def backups(name: Name, as_json: Json = False) -> None:
    """List the backups, newest last, and which moments can be restored."""
    from labelspace_ops.backup.formatting import restorable_from

    kept = _of(name)
    rows = kept.listing()
    if as_json:
        print_json({"name": name, "backups": rows, "restorable_from": restorable_from(rows)})
        return
    for row in rows:
        typer.echo(_line(row))
    say(kept.restorable(rows))


def _line(row: dict[str, Any]) -> str:
    """The id whole: it is what a restore is given."""
    from labelspace_ops.backup.formatting import verification

    size = f"{row['size'] / 1e6:.1f} MB"
    return f"  {row['id']:<33}  {row['when']}  {row['kind']:<8}  {size:>10}  {verification(row)}"


@app.command()
def restore(
    name: Name,
    to: Annotated[str, typer.Option(help="a time, such as 2026-11-24T15:04:00Z")] = "",
    backup: Annotated[str, typer.Option(help="the id of a backup (labelspace backups)")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Bring the annotations back to a time, a backup or the last change; what is there is kept first."""
    kept = _of(name)
    choice = kept.chosen(to=to, backup=backup)
    if not yes:
        typer.confirm(f"Stop {name} and bring its annotations back to {choice.words}?", abort=True)
    done = kept.restore(choice)
    if as_json:
        print_json(done)
        return
    typer.echo(
        f"{name}: restored to {done['to']} (last change: {done['last_change'] or 'none after the backup'})"
    )
    typer.echo(f"  lost  {done['lost']}")
    if done["kept"] and not done["kept"].startswith("replaced-"):
        typer.echo(f"  undo  labelspace restore {name} --backup {done['kept']}")


@app.command()
def drill(
    name: Name,
    backup: Annotated[str, typer.Option(help="the id of a backup; the newest by default")] = "",
    as_json: Json = False,
) -> None:
    """Prove a backup: restore it beside the running database, and compare it with what it must hold."""
    from labelspace_ops.backup.formatting import proof_summary
    from labelspace_ops.core.errors import OpsError

    proof = _of(name).drill(backup)
    if as_json:
        print_json(proof)
    elif proof["ok"]:
        typer.echo(f"{name}: {proof_summary(proof)}")
    if not proof["ok"]:
        raise OpsError(f"{name}: the drill of {proof['backup'] or 'a backup'} failed: {proof['reason']}")

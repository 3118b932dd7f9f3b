"""The commands ``create``, ``stop``, ``start`` and ``delete``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.cli import options
from labelspace_ops.cli.app import Json, Name, Yes, app, print_json, say
from labelspace_ops.cli.flags import with_flags, with_progress
from labelspace_ops.cli.own_stack import refuses_stack
from labelspace_ops.cli.status import report
from labelspace_ops.core.errors import UsageError

if TYPE_CHECKING:
    from labelspace.home import Home
    from labelspace.spec import WorkspaceSpec


@app.command()
@refuses_stack("declare a Workspace in it")
@with_progress
@with_flags(options.SettingFlags)
def create(
    name: Annotated[str, typer.Argument(help="name of the new workspace")] = "",
    *,
    flags: options.SettingFlags,
    reuse_data: Annotated[
        bool, typer.Option("--reuse-data", help="use the data that a deleted workspace of this name left")
    ] = False,
    from_backup: Annotated[
        str,
        typer.Option(
            help="start with annotations from a folder or bucket of backups, a backup's id, or a dump"
        ),
    ] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Create a workspace, or continue an interrupted creation."""
    from labelspace.home import Home
    from labelspace_ops.workspaces import lifecycle
    from labelspace_ops.workspaces import status as status_module

    home = Home.find()
    values = {"running": True, **options.from_flags(name, flags, ask=not yes)}
    spec = lifecycle.resolve_spec(values, home)
    if not from_backup:
        reuse_data = _show_retained(spec, home, reuse_data=reuse_data, ask=not yes and sys.stdin.isatty())
    say(f"workspace {spec.name}: creating it (after Ctrl-C, run the same command again to continue)")
    chosen = lifecycle.create(spec, home, reuse_data=reuse_data, from_backup=from_backup)
    report(status_module.get(chosen.name, home), chosen, as_json=as_json)


def _show_retained(spec: WorkspaceSpec, home: Home, *, reuse_data: bool, ask: bool) -> bool:
    """Show what an earlier workspace left, before it is used; return whether to use it."""
    from labelspace_ops.workspaces import lifecycle

    retained = lifecycle.retained_data(spec, home) if reuse_data or ask else ""
    if not retained:
        return reuse_data
    if ask:
        return typer.confirm(f"{retained}. Use this data", abort=True)
    say(f"{retained}: using it")
    return True


@app.command()
@refuses_stack("set running to False there, and run `pulumi up`")
@with_progress
def stop(name: Name, as_json: Json = False) -> None:
    """Take a last backup and stop a workspace; data, URL and passwords stay."""
    from labelspace.home import Home
    from labelspace_ops.workspaces import lifecycle

    say(f"workspace {name}: stopping it")
    done = lifecycle.stop(name, Home.find())
    if as_json:
        print_json(done)
        return
    backup = (
        f"last backup in {done.backups}" if done.backed_up else "no backup was taken, because nothing ran"
    )
    typer.echo(f"{name}: stopped; data, URL and passwords stay; {backup}")
    say(f"  start it again: labelspace start {name}")


@app.command()
@refuses_stack("set running to True there, and run `pulumi up`")
@with_progress
def start(name: Name, as_json: Json = False) -> None:
    """Start a stopped workspace with the same URL, data and passwords."""
    from labelspace.home import Home
    from labelspace_ops.stack import state
    from labelspace_ops.workspaces import lifecycle
    from labelspace_ops.workspaces import status as status_module

    home = Home.find()
    state.must_exist(name, home)
    say(f"workspace {name}: starting it")
    chosen = lifecycle.start(name, home)
    report(status_module.get(chosen.name, home), chosen, as_json=as_json)


@app.command()
@refuses_stack("remove the Workspace there, and run `pulumi up`; annotations and backups stay")
@with_progress
def delete(
    name: Name,
    yes: Yes = False,
    purge: Annotated[bool, typer.Option("--purge", help="remove annotations and backups too")] = False,
    as_json: Json = False,
) -> None:
    """Remove a workspace; bucket data stays, and so do annotations and backups unless purged."""
    from labelspace.home import Home
    from labelspace_ops.stack import state
    from labelspace_ops.workspaces import lifecycle

    home = Home.find()
    if not (purge and name not in state.names(home) and lifecycle.has_retained_data(name, home)):
        state.must_exist(name, home)
    if purge:
        _confirm_by_name(name)
    elif not yes:
        typer.confirm(
            f"Remove the containers of {name}? Annotations, backups and bucket data stay", abort=True
        )
    done = lifecycle.delete(name, home, purge=purge)
    if as_json:
        print_json(done)
    elif done.kept:
        last = f"last backup {done.last_backup}; " if done.last_backup else ""
        typer.echo(f"{name}: removed; {last}{done.kept} and {done.backups} stay")
    elif purge:
        where = f" in {home.buckets}" if home.buckets.exists() else ""
        typer.echo(f"{name}: removed, with its annotations and backups; bucket data stays{where}")
    else:
        last = f", last backup {done.last_backup} in {done.backups}" if done.last_backup else ""
        typer.echo(f"{name}: deleted; annotations stay{last}")
        typer.echo(f"  again  {done.come_back}" if done.come_back else "", nl=bool(done.come_back))


def _confirm_by_name(name: str) -> None:
    say(f"This removes the annotations and backups of {name} for good.")
    typed = typer.prompt("Type the workspace's name") if sys.stdin.isatty() else sys.stdin.readline().strip()
    if typed != name:
        raise UsageError(
            f"name: {typed!r} is not {name!r}: nothing was removed. Type the name; a script writes it to"
            f" the standard input of `labelspace delete {name} --purge`"
        )

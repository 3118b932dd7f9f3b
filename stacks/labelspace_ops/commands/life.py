"""Commands of a workspace's life: ``create``, ``stop``, ``start``, ``delete``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.commands import wish
from labelspace_ops.commands.app import Json, Name, Yes, app, say, show
from labelspace_ops.commands.look import report
from labelspace_ops.errors import UsageError

if TYPE_CHECKING:
    from labelspace.home import Home
    from labelspace.spec import WorkspaceSpec


@app.command()
def create(  # noqa: PLR0917 - each is a flag of its own
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="name of the new workspace")] = "",
    bucket: wish.Bucket = None,
    remote_bucket: wish.RemoteBucket = None,
    backup_bucket: wish.BackupBucket = None,
    description: wish.Description = None,
    target: wish.Target = None,
    admin_username: wish.AdminUsername = None,
    admin_email: wish.AdminEmail = None,
    password_stdin: wish.PasswordStdin = False,
    registration: wish.Registration = None,
    annotator_group: wish.AnnotatorGroup = None,
    listen: wish.Listen = None,
    port: wish.Port = None,
    s3_port: wish.S3Port = None,
    size: wish.Size = None,
    cvat_version: wish.CvatVersion = None,
    set_: wish.Set = None,
    take_up: Annotated[
        bool, typer.Option("--take-up", help="go on with what an earlier workspace of this name left")
    ] = False,
    from_backup: Annotated[
        str,
        typer.Option(
            help="begin with another's annotations: backups in a folder or bucket, a backup's id, a dump"
        ),
    ] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make a workspace, or take up one whose making was interrupted."""
    from labelspace.home import Home
    from labelspace_ops import life
    from labelspace_ops import status as status_module

    home = Home.find()
    values = {"running": True, **wish.from_flags(context.params, ask=not yes)}
    spec = life.wished(values, home)
    if not take_up and not from_backup and not yes and sys.stdin.isatty():
        take_up = _asked_to_take_up(spec, home)
    say(f"workspace {spec.name}: making it (Ctrl-C and the same command again are safe)")
    chosen = life.create(spec, home, take_up=take_up, from_backup=from_backup)
    report(status_module.of(chosen.name, home), as_json=as_json)


def _asked_to_take_up(spec: WorkspaceSpec, home: Home) -> bool:
    from labelspace_ops import life

    found = life.left_of(spec.name, home) if spec.target == "local" else None
    return bool(found and typer.confirm(f"{found}. Take that up", abort=True))


@app.command()
def stop(name: Name, as_json: Json = False) -> None:
    """Stop a workspace: a last backup, then its containers go; data, URL and passwords stay."""
    from labelspace.home import Home
    from labelspace_ops import life

    say(f"workspace {name}: stopping it")
    done = life.stop(name, Home.find())
    if as_json:
        show(done)
        return
    backup = (
        f"last backup in {done['backups']}" if done["backed_up"] else "nothing ran that could be backed up"
    )
    typer.echo(f"{name}: stopped; data, URL and passwords stay; {backup}")
    say(f"  run it again: labelspace start {name}")


@app.command()
def start(name: Name, as_json: Json = False) -> None:
    """Run a stopped workspace again, with the URL, data and passwords that it had."""
    from labelspace.home import Home
    from labelspace_ops import life, state
    from labelspace_ops import status as status_module

    home = Home.find()
    state.must_exist(name, home)
    say(f"workspace {name}: starting it")
    chosen = life.start(name, home)
    report(status_module.of(chosen.name, home), as_json=as_json)


@app.command()
def delete(
    name: Name,
    yes: Yes = False,
    purge: Annotated[bool, typer.Option("--purge", help="remove annotations and backups too")] = False,
    as_json: Json = False,
) -> None:
    """Remove a workspace; bucket data stays, and so do annotations and backups unless purged."""
    from labelspace.home import Home
    from labelspace_ops import life, state

    home = Home.find()
    if not (purge and name not in state.names(home) and life.left_of(name, home)):
        state.must_exist(name, home)
    if purge:
        _name_is_typed(name)
    elif not yes:
        typer.confirm(
            f"Remove the containers of {name}? Annotations, backups and bucket data stay", abort=True
        )
    done = life.delete(name, home, purge=purge)
    if as_json:
        show(done)
    elif "kept" in done:
        last = f"last backup {done['last_backup']}; " if done["last_backup"] else ""
        typer.echo(f"{name}: removed; {last}{done['kept']} and {done['backups']} stay")
    elif purge:
        typer.echo(f"{name}: removed, with its annotations and backups; bucket data stays in {home.buckets}")
    else:
        last = f", last backup {done['last_backup']} in {done['backups']}" if done["last_backup"] else ""
        typer.echo(f"{name}: removed; annotations stay{last}")
        typer.echo(f"  again  {done['come_back']}" if done["come_back"] else "", nl=bool(done["come_back"]))


def _name_is_typed(name: str) -> None:
    say(f"This removes the annotations and backups of {name} for good.")
    typed = typer.prompt("Type the workspace's name") if sys.stdin.isatty() else sys.stdin.readline().strip()
    if typed != name:
        raise UsageError(f"name: {typed!r} is not {name!r}: nothing was removed")

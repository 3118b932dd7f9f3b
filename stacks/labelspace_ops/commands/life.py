"""Commands of a workspace's life: ``create``, ``stop``, ``start``, ``delete``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from labelspace_ops.commands.app import Json, Name, Yes, app, say, show
from labelspace_ops.commands.look import report
from labelspace_ops.errors import UsageError


@app.command()
def create(  # noqa: PLR0917 - each is a flag of its own
    name: Annotated[str, typer.Argument(help="name of the new workspace")] = "",
    bucket: Annotated[list[str] | None, typer.Option(help="dataset bucket; may be given again")] = None,
    description: Annotated[str | None, typer.Option(help="what it is for")] = None,
    target: Annotated[str | None, typer.Option(help="where it runs: local")] = None,
    admin_username: Annotated[str | None, typer.Option(help="the admin's user name")] = None,
    admin_email: Annotated[str | None, typer.Option(help="the admin's e-mail address")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the admin's password from standard input")
    ] = False,
    registration: Annotated[
        str | None, typer.Option(help="open: annotators sign up alone; or closed")
    ] = None,
    annotator_group: Annotated[str | None, typer.Option(help="worker (safe) or user")] = None,
    listen: Annotated[str | None, typer.Option(help="address to serve; 127.0.0.1 is this machine")] = None,
    port: Annotated[int | None, typer.Option(help="port of the URL; a free one by default")] = None,
    s3_port: Annotated[int | None, typer.Option(help="port of the buckets' S3 endpoint")] = None,
    size: Annotated[str | None, typer.Option(help="small, medium or large")] = None,
    cvat_version: Annotated[str | None, typer.Option(help="version of CVAT")] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make a workspace, or take up one whose making was interrupted."""
    from labelspace.home import Home
    from labelspace_ops import life
    from labelspace_ops import status as status_module

    home = Home.find()
    given = {
        "description": description,
        "target": target,
        "registration": registration,
        "annotator_group": annotator_group,
        "listen": listen,
        "port": port,
        "s3_port": s3_port,
        "size": size,
        "cvat_version": cvat_version,
    }
    values: dict[str, Any] = {"running": True}
    values |= {key: value for key, value in given.items() if value is not None}
    admin = {"username": admin_username, "email": admin_email}
    values |= _asked(name, bucket or [], {key: value for key, value in admin.items() if value}, yes=yes)
    if password_stdin:
        values.setdefault("admin", {})["password"] = sys.stdin.readline().rstrip("\r\n")
    spec = life.wished(values, home)
    say(f"workspace {spec.name}: making it (Ctrl-C and the same command again are safe)")
    chosen, client = life.create(spec, home)
    report(status_module.measure(chosen, client, home), as_json=as_json)


def _asked(name: str, names: list[str], admin: dict[str, str], *, yes: bool) -> dict[str, Any]:
    """Name, buckets and admin: from flags, else from questions on a terminal."""
    from labelspace.home import Home
    from labelspace_ops import stack

    ask = sys.stdin.isatty() and not yes
    known = bool(name) and name in stack.names(Home.find())
    if not name:
        if not ask:
            raise UsageError("name: missing: labelspace create NAME --bucket BUCKET")
        name = typer.prompt("Name of the workspace")
    if not names and ask and not known:
        names = typer.prompt("Dataset buckets (separate with spaces)").split()
    if ask and not known and "username" not in admin:
        admin["username"] = typer.prompt("User name of the admin", default="admin")
    values: dict[str, Any] = {"name": name}
    if names or not known:
        values["buckets"] = [{"name": one} for one in names]
    if admin:
        values["admin"] = admin
    return values


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
    from labelspace_ops import life, stack
    from labelspace_ops import status as status_module

    home = Home.find()
    stack.select(name, home)
    say(f"workspace {name}: starting it")
    chosen, client = life.start(name, home)
    report(status_module.measure(chosen, client, home), as_json=as_json)


@app.command()
def delete(
    name: Name,
    yes: Yes = False,
    purge: Annotated[bool, typer.Option("--purge", help="remove annotations and backups too")] = False,
    as_json: Json = False,
) -> None:
    """Remove a workspace; bucket data stays, and so do annotations and backups unless purged."""
    from labelspace.home import Home
    from labelspace_ops import life, stack

    home = Home.find()
    stack.select(name, home)
    if purge:
        _name_is_typed(name)
    elif not yes:
        typer.confirm(
            f"Remove the containers of {name}? Annotations, backups and bucket data stay", abort=True
        )
    done = life.delete(name, home, purge=purge)
    if as_json:
        show(done)
    elif purge:
        typer.echo(f"{name}: removed, with its annotations and backups; bucket data stays in {home.buckets}")
    else:
        typer.echo(
            f"{name}: removed; annotations stay, last backup in {done['backups']}; same name, same data again"
        )


def _name_is_typed(name: str) -> None:
    say(f"This removes the annotations and backups of {name} for good.")
    typed = typer.prompt("Type the workspace's name") if sys.stdin.isatty() else sys.stdin.readline().strip()
    if typed != name:
        raise UsageError(f"name: {typed!r} is not {name!r}: nothing was removed")

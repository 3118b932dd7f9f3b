"""The command line ``labelspace``: thin commands over what a workspace's life is made of."""

from __future__ import annotations

import json
import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer
from pulumi import automation as auto
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from labelspace.home import Home
from labelspace_ops import buckets, engine, life, stack
from labelspace_ops import doctor as doctor_module
from labelspace_ops import status as status_module
from labelspace_ops.errors import OpsError, UsageError
from labelspace_ops.progress import console

app = typer.Typer(
    help="Labeling workspaces as code: a CVAT server, its admin, its datasets and its backed-up annotations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Name = Annotated[str, typer.Argument(help="name of the workspace")]
Json = Annotated[bool, typer.Option("--json", help="print JSON alone on standard output")]


def show(value: object) -> None:
    """Print JSON on standard output."""
    typer.echo(json.dumps(value, indent=2))


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
    yes: Annotated[bool, typer.Option("--yes", "-y", help="ask nothing")] = False,
    as_json: Json = False,
) -> None:
    """Make a workspace, or take up one whose making was interrupted."""
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
    values: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    admin = {"username": admin_username, "email": admin_email}
    values |= _asked(name, bucket or [], {key: value for key, value in admin.items() if value}, yes=yes)
    if password_stdin:
        values.setdefault("admin", {})["password"] = sys.stdin.readline().rstrip("\r\n")
    spec = life.wished(values, home)
    console.print(
        f"workspace {spec.name}: making it (Ctrl-C and the same command again are safe)", markup=False
    )
    chosen, client = life.create(spec, home)
    _report(status_module.measure(chosen, client, home), as_json=as_json)


def _asked(name: str, names: list[str], admin: dict[str, str], *, yes: bool) -> dict[str, Any]:
    """Name, buckets and admin: from flags, else from questions on a terminal."""
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


def _report(measured: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show(measured)
    else:
        _print_status(measured)
        console.print(f"\n  password   labelspace credentials {measured['name']}", markup=False)
        console.print(f"  add data   labelspace upload {measured['name']} FOLDER", markup=False)
        console.print("  annotators sign up at the URL; assign tasks to them as the admin", markup=False)
    if measured["status"] != "ready":
        raise typer.Exit(1)


def _print_status(measured: dict[str, Any]) -> None:
    backup = measured["backup"]
    rows = {
        "workspace": f"{measured['name']}  ({measured['status']})",
        "url": measured["url"],
        "admin": measured["admin_username"],
        "buckets": ", ".join(_bucket(bucket) for bucket in measured["buckets"]),
        "backup": f"{backup.get('where', '')} (last: {backup.get('last') or 'none yet'})",
    }
    for key, value in rows.items():
        typer.echo(f"  {key:<10} {value}")
    for check in measured["checks"]:
        if not check["ok"]:
            typer.echo(f"  ! {check['name']}: {check['detail']}")


def _bucket(bucket: dict[str, Any]) -> str:
    if bucket["objects"] is None:
        return f"{bucket['name']} (not reached)"
    return f"{bucket['name']} ({bucket['objects']} objects, {bucket['bytes'] / 1e6:.1f} MB)"


@app.command()
def status(name: Name, as_json: Json = False) -> None:
    """Measure what the workspace is; exit code 0 only when it is ready."""
    home = Home.find()
    measured = status_module.measure(stack.select(name, home), engine.connect(), home)
    if as_json:
        show(measured)
    else:
        _print_status(measured)
    raise typer.Exit(0 if measured["status"] == "ready" else 1)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List this machine's workspaces."""
    home = Home.find()
    client = engine.connect()
    rows = [status_module.measure(stack.select(name, home), client, home) for name in stack.names(home)]
    if as_json:
        show([{key: row[key] for key in ("name", "target", "status", "url")} for row in rows])
        return
    table = Table("name", "target", "status", "url", box=None)
    for row in rows:
        table.add_row(row["name"], row["target"], row["status"], row["url"])
    typer.echo("no workspaces yet: labelspace create" if not rows else "", nl=not rows)
    if rows:
        console.print(table)


def _outputs(name: str) -> dict[str, Any]:
    outputs = {key: output.value for key, output in stack.select(name, Home.find()).outputs().items()}
    if not outputs:
        raise OpsError(f"{name}: it was never made completely: run `labelspace create {name}` again")
    return outputs


@app.command("open")
def open_(name: Name) -> None:
    """Open the workspace in the browser."""
    url = _outputs(name)["url"]
    typer.echo(url)
    webbrowser.open(url)


@app.command()
def credentials(name: Name, as_json: Json = False) -> None:
    """Show the admin's user name and password."""
    outputs = _outputs(name)
    shown = {field: outputs[f"admin_{field}"] for field in ("username", "email", "password")}
    if as_json:
        show(shown)
        return
    for field, value in shown.items():
        typer.echo(f"  {field:<9} {value}")


@app.command()
def upload(
    name: Name,
    paths: Annotated[list[Path], typer.Argument(help="files or folders")],
    bucket: Annotated[str | None, typer.Option(help="which bucket, when the workspace has several")] = None,
    prefix: Annotated[str, typer.Option(help="put in front of every object's name")] = "",
    as_json: Json = False,
) -> None:
    """Upload files to a dataset bucket; goes on where an earlier attempt ended."""
    outputs = _outputs(name)
    uploads = buckets.plan(paths, prefix)
    chosen = _choose_bucket(name, bucket, [one["name"] for one in outputs["buckets"]])
    sent = _send(buckets.client(outputs), chosen, uploads)
    strangers = [one.key for one in uploads if not one.opens_in_cvat]
    if strangers:
        console.print(
            f"warning: CVAT cannot open {', '.join(strangers[:5])}"
            f" ({len(strangers)} in all); uploaded all the same",
            markup=False,
        )
    done = {"bucket": chosen, "uploaded": sent, "skipped": len(uploads) - sent, "not_media": strangers}
    if as_json:
        show(done)
    else:
        typer.echo(f"{chosen}: {sent} uploaded, {done['skipped']} already there")


def _choose_bucket(name: str, bucket: str | None, known: list[str]) -> str:
    if bucket is None and len(known) == 1:
        return known[0]
    if bucket is None:
        raise UsageError(f"bucket: {name} has several: choose one of {', '.join(known)} (--bucket)")
    if bucket not in known:
        raise UsageError(f"bucket: {bucket!r} is not of {name}: choose one of {', '.join(known)} (--bucket)")
    return bucket


def _send(s3: Any, bucket: str, uploads: list[buckets.Upload]) -> int:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"to {bucket}", total=sum(one.size for one in uploads))
        return sum(buckets.send(s3, bucket, one, lambda done: bar.advance(task, done)) for one in uploads)


@app.command()
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="ask nothing")] = False,
    purge: Annotated[bool, typer.Option("--purge", help="remove annotations and backups too")] = False,
    as_json: Json = False,
) -> None:
    """Remove a workspace; bucket data stays, and so do annotations and backups unless purged."""
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
    console.print(f"This removes the annotations and backups of {name} for good.", markup=False)
    typed = typer.prompt("Type the workspace's name") if sys.stdin.isatty() else sys.stdin.readline().strip()
    if typed != name:
        raise UsageError(f"name: {typed!r} is not {name!r}: nothing was removed")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check whether this machine can run a workspace."""
    checks = doctor_module.examine(Home.find())
    if as_json:
        show(checks)
    else:
        for check in checks:
            typer.echo(f"  {'ok ' if check['ok'] else 'NO '} {check['name']}: {check['detail']}")
    raise typer.Exit(0 if all(check["ok"] for check in checks) else 1)


def main() -> None:
    """Run a command; a user's mistake ends with one sentence and exit code 2, a failure with 1."""
    try:
        app()
    except UsageError as error:
        _complain(error, 2)
    except OpsError as error:
        _complain(error, 1)
    except auto.CommandError as error:
        _complain(stack.reason(str(error)), 1)
    except KeyboardInterrupt:
        _complain("interrupted: the same command again goes on where it was", 1)


def _complain(problem: object, code: int) -> None:
    console.print(f"labelspace: {problem}", markup=False, soft_wrap=True)
    sys.exit(code)

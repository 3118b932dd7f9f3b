"""Commands that change nothing: ``status``, ``list``, ``open``, ``credentials``, ``doctor``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.cli.app import Json, Name, app, outputs_of, print_json, print_result, say
from labelspace_ops.cli.own_stack import Stack, on_any_stack
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import declared

if TYPE_CHECKING:
    from labelspace.spec import WorkspaceSpec
    from labelspace_ops.targets.status import BucketStatus, Status

NEXT_STEPS = {
    "stopped": "labelspace start {name}",
    "deleted": "labelspace create {name} restores it; labelspace delete {name} --purge removes its data",
    "asleep": "open the URL: it wakes up (asleep since {since})",
}
"""Status of a workspace that does not run -> the next step."""
STEPS_IN_A_PROGRAM = {"stopped": "set running to True in the program that declares it, and run `pulumi up`"}
"""The steps that differ for a workspace of somebody's own program."""


def report(measured: Status, spec: WorkspaceSpec, *, as_json: bool) -> None:
    """Print a status and the next steps; raises ``OpsError`` unless the workspace is as the spec wants it."""
    if as_json:
        print_json(measured)
    else:
        print_status(measured)
        if spec.running:
            _print_next_steps(measured, spec)
    if measured.status not in (("ready", "asleep") if spec.running else ("stopped",)):
        broken = [f"{check.name}: {check.detail}" for check in measured.checks if not check.ok]
        raise OpsError("\n  ".join([f"{measured.name} is {measured.status}", *broken]))


def _print_next_steps(measured: Status, spec: WorkspaceSpec) -> None:
    accounts = {
        "open": "sign up at the URL; assign jobs to them as the admin",
        "closed": f"get accounts from the admin: {measured.url}/admin/",
    }
    say(f"\n  password   labelspace credentials {measured.name}")
    say(f"  add data   labelspace upload {measured.name} FOLDER")
    say(f"  annotators {accounts[spec.registration]}")


def print_status(measured: Status) -> None:
    """Print a status as text; warnings come last, marked with ``~``, failed checks with ``!``."""
    backup = measured.backup
    rows = {
        "workspace": f"{measured.name}  ({measured.status})",
        "url": measured.url,
        "local url": measured.api_url,
        **_certificate_row(measured),
        "admin": measured.admin_username,
        "buckets": ", ".join(_bucket(bucket, measured.status) for bucket in measured.buckets),
        "backup": f"{backup.where or ''} (last: {backup.last or 'none yet'})",
    }
    if measured.cvat != measured.cvat_version:
        rows["cvat"] = measured.cvat
    for key, value in rows.items():
        typer.echo(f"  {key:<10} {value}")
    unreadable = filter(None, map(_unreadable, measured.buckets))
    for warning in (*unreadable, *(backup.warnings or []), *(measured.warnings or [])):
        typer.echo(f"  ~ {warning}")
    for check in measured.checks:
        if not check.ok:
            typer.echo(f"  ! {check.name}: {check.detail}")
    steps = {**NEXT_STEPS, **(STEPS_IN_A_PROGRAM if declared.current() else {})}
    if measured.status in steps:
        say(f"  next       {steps[measured.status].format(name=measured.name, since=measured.since)}")


def _unreadable(bucket: BucketStatus) -> str:
    if not bucket.unreadable:
        return ""
    more = bucket.unreadable - len(bucket.first_unreadable)
    names = ", ".join(bucket.first_unreadable) + (f" and {more} more" if more else "")
    return (
        f"bucket {bucket.name}: CVAT's user cannot read {bucket.unreadable} of its files or folders: {names}:"
        f" run `chmod -R a+rX {shlex.quote(bucket.path) if bucket.path else 'FOLDER'}`"
    )


def _certificate_row(measured: Status) -> dict[str, str]:
    until = measured.certificate_until
    return {"HTTPS": f"certificate valid until {until[:10]}"} if until else {}


def _bucket(bucket: BucketStatus, status: str) -> str:
    if bucket.path:
        return f"{bucket.name} ({bucket.path})"
    if bucket.objects is None or bucket.bytes is None:
        return bucket.name if status in NEXT_STEPS else f"{bucket.name} (not counted)"
    return f"{bucket.name} ({bucket.objects} objects, {bucket.bytes / 1e6:.1f} MB)"


@app.command()
@on_any_stack
def status(name: Name, as_json: Json = False) -> None:
    """Measure the workspace; exit code 0 only when it is ready."""
    from labelspace.home import Home
    from labelspace_ops.workspaces import status as status_module

    home = Home.find()
    measured = status_module.get(name, home)
    if as_json:
        print_json(measured)
    else:
        print_status(measured)
    raise typer.Exit(0 if measured.status == "ready" else 1)


@app.command("list")
def list_(
    include_deleted: Annotated[bool, typer.Option("--all", help="include deleted workspaces")] = False,
    stack: Stack = "",
    as_json: Json = False,
) -> None:
    """List this machine's workspaces, or those that a program's stack declares."""
    from rich.console import Console
    from rich.table import Table

    from labelspace.home import Home
    from labelspace_ops.stack import declared_workspaces
    from labelspace_ops.workspaces import status as status_module

    home = Home.find()
    if stack:
        declared_workspaces.use(stack, home)
    rows = [row for row in status_module.get_all(home) if include_deleted or row.status != "deleted"]
    if as_json:
        print_json([row.as_row() for row in rows])
        return
    table = Table("name", "target", "status", "url", box=None)
    for row in rows:
        table.add_row(row.name, row.target, row.status, row.url)
    typer.echo(
        "no workspaces yet: create one with `labelspace create NAME --bucket BUCKET`" if not rows else "",
        nl=not rows,
    )
    if rows:
        Console(highlight=False).print(table)
    for row in rows:
        if row.status == "unreadable":
            say(f"! {row.checks[0].detail}")


@app.command("open")
@on_any_stack
def open_(name: Name) -> None:
    """Open the workspace in the browser."""
    import webbrowser

    url = outputs_of(name)["url"]
    typer.echo(url)
    webbrowser.open(url)


@app.command()
@on_any_stack
def credentials(name: Name, as_json: Json = False) -> None:
    """Show the admin's user name and password."""
    outputs = outputs_of(name)
    shown = {field: outputs[f"admin_{field}"] for field in ("username", "email", "password")}
    text = "\n".join(f"  {field:<9} {value}" for field, value in shown.items())
    print_result(shown, text, as_json=as_json)


@app.command()
def doctor(
    target: Annotated[str, typer.Option(help="local, scaleway or kubernetes")] = "",
    cvat: Annotated[str, typer.Option(help="URL of any CVAT server: check that one, only reading")] = "",
    as_json: Json = False,
) -> None:
    """Check whether this machine, an account at Scaleway or a cluster can run a workspace."""
    from labelspace.home import Home
    from labelspace_ops.cvat import server_check
    from labelspace_ops.targets import registry
    from labelspace_ops.workspaces import doctor as doctor_module

    checks = (
        server_check.examine(cvat) if cvat else doctor_module.examine(Home.find(), target or registry.DEFAULT)
    )
    text = "\n".join(f"  {'ok ' if check.ok else 'NO '} {check.name}: {check.detail}" for check in checks)
    print_result(checks, text, as_json=as_json)
    raise typer.Exit(0 if all(check.ok for check in checks) else 1)

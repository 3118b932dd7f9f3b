"""Commands on notices of faults: ``notify test``."""

from __future__ import annotations

import typer

from labelspace_ops.cli.app import Json, Name, app, print_json

notify = typer.Typer(help="Notices of faults, sent to a webhook or an address.", no_args_is_help=True)
app.add_typer(notify, name="notify")


@notify.command("test")
def send_test(name: Name, as_json: Json = False) -> None:
    """Send a test message to the workspace's webhook and address, from inside the workspace."""
    from labelspace.home import Home
    from labelspace_ops.workspaces import notify as notices

    sent = notices.send_test(name, Home.find())
    if as_json:
        print_json(sent)
    else:
        typer.echo(f"{name}: the test message was sent")

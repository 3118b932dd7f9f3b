"""Commands on the state of workspaces: ``state repair``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from labelspace_ops.cli.app import Name, Yes, app, say

if TYPE_CHECKING:
    from labelspace_ops.workspaces.state_repair import Repair

state = typer.Typer(help="What Pulumi stores about a workspace.", no_args_is_help=True)
app.add_typer(state, name="state")


@state.callback()
def _group() -> None:
    """Without a callback Typer makes the only command of a group the group itself."""


@state.command()
def repair(name: Name, yes: Yes = False) -> None:
    """Replace a damaged state by its newest whole copy, after it showed what the copy lacks."""
    from labelspace.home import Home
    from labelspace_ops.workspaces import state_repair

    home = Home.find()
    found = state_repair.find(name, home)
    if found is None:
        typer.echo(f"{name}: its state can be read: nothing to repair")
        return
    _show(found)
    if not yes:
        typer.confirm("Use this copy", abort=True)
    damaged = state_repair.apply(found, home)
    typer.echo(f"{name}: its state is repaired{f'; the damaged file is {damaged}' if damaged else ''}")
    say(f"  next       labelspace create {name} (makes again what differs), labelspace status {name}")


def _show(found: Repair) -> None:
    from labelspace_ops.stack.state_files import short_names

    age = datetime.now(UTC) - found.copy.when
    hours, minutes = divmod(int(age.total_seconds()) // 60, 60)
    typer.echo(f"  damaged    {found.file}: {found.problem}")
    typer.echo(f"  copy       {found.copy.path}")
    typer.echo(f"  age        {hours} h {minutes} min, {len(found.copy.resources)} resources")
    unknown = "not known: the damaged file names no resource; what changed since then is lost"
    for text, urns in (("not in it", found.lost), ("only in it", found.ended)):
        nothing = "nothing" if found.compared else unknown
        typer.echo(f"  {text:<10} {', '.join(short_names(urns)) or nothing}")
    typer.echo("  data       annotations, files and backups are not touched")

"""Commands on keys: ``keys export``, ``keys import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelspace_ops.cli.app import Json, app, print_json, say

keys = typer.Typer(help="The keys of this machine's backups and state.", no_args_is_help=True)
app.add_typer(keys, name="keys")


@keys.command("export")
def export(file: Annotated[Path, typer.Argument(help="where to write it")], as_json: Json = False) -> None:
    """Write the recovery kit: whoever has it and the backups has the annotations."""
    from labelspace.home import Home
    from labelspace_ops.backup import recovery_kit

    names = recovery_kit.export_kit(Home.find(), file)
    if as_json:
        print_json({"file": str(file), "keys": names})
    else:
        typer.echo(f"{file}: {len(names)} keys ({', '.join(names)})")
        say("keep it as a password, apart from the backups; again after each new workspace")


@keys.command("import")
def import_(file: Annotated[Path, typer.Argument(help="a recovery kit")], as_json: Json = False) -> None:
    """Take in the keys of a recovery kit; a key that is there stays."""
    from labelspace.home import Home
    from labelspace_ops.backup import recovery_kit

    done = recovery_kit.import_kit(Home.find(), file)
    if as_json:
        print_json(done)
        return
    for name, what in done.items():
        typer.echo(f"  {name:<24} {what}")

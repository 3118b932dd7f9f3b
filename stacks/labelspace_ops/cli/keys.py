"""Commands on keys: ``keys export``, ``keys import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelspace_ops.cli.app import Json, app, print_json, say

keys = typer.Typer(help="The keys of this machine's backups and state.", no_args_is_help=True)
app.add_typer(keys, name="keys")


@keys.command("export")
def export(file: Annotated[Path, typer.Argument(help="file to write")], as_json: Json = False) -> None:
    """Write the recovery kit; it decrypts the backups, so keep it secret."""
    from labelspace.home import Home
    from labelspace_ops.backup import recovery_kit

    names = recovery_kit.export_kit(Home.find(), file)
    if as_json:
        print_json({"file": str(file), "keys": names})
    else:
        typer.echo(f"{file}: {len(names)} keys ({', '.join(names)})")
        say("store it like a password, apart from the backups; export it again after each new workspace")


@keys.command("import")
def import_(file: Annotated[Path, typer.Argument(help="a recovery kit")], as_json: Json = False) -> None:
    """Import the keys of a recovery kit; existing keys are not replaced."""
    from labelspace.home import Home
    from labelspace_ops.backup import recovery_kit

    done = recovery_kit.import_kit(Home.find(), file)
    if as_json:
        print_json(done)
        return
    for name, result in done.items():
        typer.echo(f"  {name:<24} {result}")

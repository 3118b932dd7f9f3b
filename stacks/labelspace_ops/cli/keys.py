"""Commands on keys: ``keys export``, ``keys import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelspace_ops.cli.app import Json, app, print_result, say

keys = typer.Typer(help="The keys of this machine's backups and state.", no_args_is_help=True)
app.add_typer(keys, name="keys")


@keys.command("export")
def export(file: Annotated[Path, typer.Argument(help="file to write")], as_json: Json = False) -> None:
    """Write the recovery kit; it decrypts the backups, so keep it secret."""
    from labelspace.home import Home
    from labelspace_ops.backup import recovery_kit

    names = recovery_kit.export_kit(Home.find(), file)
    text = f"{file}: {len(names)} keys ({', '.join(names)})"
    print_result({"file": str(file), "keys": names}, text, as_json=as_json)
    if not as_json:
        say("store it like a password, apart from the backups; export it again after each new workspace")


@keys.command("import")
def import_(file: Annotated[Path, typer.Argument(help="a recovery kit")], as_json: Json = False) -> None:
    """Import the keys of a recovery kit; existing keys are not replaced."""
    from labelspace.home import Home
    from labelspace_ops.backup import recovery_kit

    done = recovery_kit.import_kit(Home.find(), file)
    text = "\n".join(f"  {name:<24} {result}" for name, result in done.items())
    print_result(done, text, as_json=as_json)

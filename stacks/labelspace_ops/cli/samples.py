"""The command ``samples``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelspace_ops.cli.app import Json, app, print_json, say


@app.command()
def samples(
    folder: Annotated[Path, typer.Argument(help="folder to write, made when it is missing")],
    as_json: Json = False,
) -> None:
    """Write a few sample photographs, to try a workspace with."""
    from labelspace_ops.storage import samples as sample_files

    names = sample_files.write(folder)
    if as_json:
        print_json({"folder": str(folder), "files": names})
        return
    typer.echo(f"{folder}: {len(names)} files")
    say(f"  next: labelspace upload NAME {folder}")

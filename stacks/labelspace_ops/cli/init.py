"""The command ``init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelspace_ops.cli.app import Json, app, print_json, say


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="folder of the repository")] = Path(),
    extra: Annotated[
        list[str] | None, typer.Option(help="extra of the package that the project needs; repeatable")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a project in a team's repository: program, pinned requirement, CI job that previews."""
    from labelspace_ops.labels import labels_file
    from labelspace_ops.stack import team_project

    written = team_project.create(folder.resolve(), extra or [])
    labels_file.write_schema(folder / "stacks" / "labels")
    if as_json:
        print_json({"folder": str(folder.resolve()), "files": [str(path) for path in written]})
        return
    typer.echo(f"project in {folder.resolve()}: {', '.join(str(path) for path in written)}")
    say("  next: labelspace create NAME --bucket BUCKET, in this folder; commit stacks/Pulumi.NAME.yaml")

"""Commands on labels as code: ``labels apply``, ``check``, ``pull``, ``schema``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelspace_ops.cli.app import Json, Name, Yes, app, print_json, say

labels = typer.Typer(help="Labels as code: stacks/labels/<workspace>.yaml.", no_args_is_help=True)
app.add_typer(labels, name="labels")


@labels.command()
def apply(
    name: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would change")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Bring CVAT's projects to the labels file; loses no annotation that the file does not name."""
    from labelspace.home import Home
    from labelspace_ops.cvat import client as cvat_client
    from labelspace_ops.labels import apply as applying
    from labelspace_ops.stack import progress

    home = Home.find()
    wish = applying.require_file(name)
    changes = applying.preview(cvat_client.connect(name, home, say), wish)
    for project, sentences in changes.items():
        for sentence in sentences or ["nothing to change"]:
            say(f"  {project}: {sentence}")
    if not dry_run:
        if any(changes.values()) and not yes:
            typer.confirm("Change the labels so?", abort=True)
        applying.update(name, home, progress.Resources().on_event)
    if as_json:
        print_json({"name": name, "applied": not dry_run, "changes": changes})
    else:
        typer.echo(f"{name}: {'nothing was changed' if dry_run else 'CVAT has the labels of the file'}")


@labels.command()
def check(file: Annotated[Path, typer.Argument(help="a labels file")], as_json: Json = False) -> None:
    """Check a labels file without any workspace."""
    from labelspace_ops.labels import labels_file as files

    found = files.read(file)
    counts = {
        "projects": len(found.projects),
        "labels": sum(len(project.labels) for project in found.projects),
        "audit_attributes": sum(len(project.audit) for project in found.projects),
        "annotators": len(found.annotators),
    }
    if as_json:
        print_json(counts)
    else:
        typer.echo(
            f"{file}: in order: {', '.join(f'{count} {what}' for what, count in counts.items())}".replace(
                "_", " "
            )
        )


@labels.command()
def pull(
    name: Name,
    project: Annotated[list[str] | None, typer.Option(help="this project alone; again for more")] = None,
    out: Annotated[str, typer.Option(help="file to write; - for standard output")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="over the file that is there")] = False,
) -> None:
    """Write the labels file from what CVAT has; annotators and kinds come from the file that is there."""
    from labelspace.home import Home
    from labelspace_ops.cvat import client as cvat_client
    from labelspace_ops.labels import labels_file as files
    from labelspace_ops.labels import pull as pulling

    client = cvat_client.connect(name, Home.find(), say)
    found, notes = pulling.pull(client, project or [], files.load(name))
    for note in notes:
        say(f"note: {note}")
    if out == "-":
        typer.echo(files.to_yaml(found), nl=False)
        return
    path = Path(out) if out else files.path_for(name)
    files.write(found, path, replace=replace)
    typer.echo(f"{path}: {len(found.projects)} projects")


@labels.command()
def schema() -> None:
    """Print the JSON Schema of labels files, for editors."""
    from labelspace_ops.labels import labels_file as files

    typer.echo(files.schema(), nl=False)

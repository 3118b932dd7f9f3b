"""Commands on labels as code: ``labels apply``, ``check``, ``pull``, ``schema``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelspace_ops.cli.app import Json, Name, Yes, app, print_json, say
from labelspace_ops.cli.own_stack import on_any_stack

labels = typer.Typer(help="Labels as code: stacks/labels/<workspace>.yaml.", no_args_is_help=True)
app.add_typer(labels, name="labels")


@labels.command()
@on_any_stack
def apply(
    name: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show what would change")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Update CVAT's projects to the labels file; deletes annotations only where the file allows it."""
    from labelspace.home import Home
    from labelspace_ops.cvat import client as cvat_client
    from labelspace_ops.labels import apply as apply_labels
    from labelspace_ops.stack import progress

    home = Home.find()
    file_labels = apply_labels.require_file(name)
    changes = apply_labels.preview(cvat_client.connect(name, home), file_labels)
    for project, sentences in changes.items():
        for sentence in sentences or ["nothing to change"]:
            say(f"  {project}: {sentence}")
    if not dry_run:
        if any(changes.values()) and not yes:
            typer.confirm("Apply these changes?", abort=True)
        apply_labels.update(name, home, progress.Resources().on_event)
    if as_json:
        print_json({"name": name, "applied": not dry_run, "changes": changes})
    else:
        typer.echo(f"{name}: {'nothing was changed' if dry_run else 'CVAT has the labels of the file'}")


@labels.command()
def check(file: Annotated[Path, typer.Argument(help="a labels file")], as_json: Json = False) -> None:
    """Check a labels file; needs no workspace."""
    from labelspace_ops.labels import labels_file as files

    content = files.read(file)
    counts = {
        "projects": len(content.projects),
        "labels": sum(len(project.labels) for project in content.projects),
        "audit_attributes": sum(len(project.audit) for project in content.projects),
        "annotators": len(content.annotators),
    }
    if as_json:
        print_json(counts)
    else:
        typer.echo(
            f"{file}: valid: {', '.join(f'{count} {what}' for what, count in counts.items())}".replace(
                "_", " "
            )
        )


@labels.command()
@on_any_stack
def pull(
    name: Name,
    project: Annotated[list[str] | None, typer.Option(help="only this project; repeatable")] = None,
    out: Annotated[str, typer.Option(help="file to write; - for standard output")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="overwrite an existing file")] = False,
) -> None:
    """Write the labels file from CVAT's projects; annotators and kinds come from the existing file."""
    from labelspace.home import Home
    from labelspace_ops.cvat import client as cvat_client
    from labelspace_ops.labels import labels_file as files
    from labelspace_ops.labels import pull as pull_labels

    client = cvat_client.connect(name, Home.find())
    content, notes = pull_labels.pull(client, project or [], files.load(name))
    for note in notes:
        say(f"note: {note}")
    if out == "-":
        typer.echo(files.to_yaml(content), nl=False)
        return
    path = Path(out) if out else files.path_for(name)
    files.write(content, path, replace=replace)
    typer.echo(f"{path}: {len(content.projects)} projects")


@labels.command()
def schema() -> None:
    """Print the JSON Schema of labels files, for editors."""
    from labelspace_ops.labels import labels_file as files

    typer.echo(files.schema(), nl=False)

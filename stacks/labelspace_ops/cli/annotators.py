"""Commands on annotators: ``annotators apply | list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from labelspace_ops.cli.app import Json, Name, app, outputs_of, print_json

if TYPE_CHECKING:
    from labelspace_ops.projects.annotators import AppliedAnnotator

NOT_SIGNED_UP = "has no account yet"

annotators = typer.Typer(help="Annotators as code, in the labels file.", no_args_is_help=True)
app.add_typer(annotators, name="annotators")


@annotators.command()
def apply(name: Name, as_json: Json = False) -> None:
    """Set roles and distribute jobs by the labels file; list who has no account, with an invitation."""
    from labelspace.home import Home
    from labelspace_ops.core.errors import UsageError
    from labelspace_ops.cvat import client as cvat_client
    from labelspace_ops.labels import labels_file
    from labelspace_ops.projects import annotators as project_annotators

    labels, outputs = labels_file.load(name), outputs_of(name)
    if not labels.annotators:
        raise UsageError(f"annotators: none in {labels_file.path_for(name)}: see stacks/labels/example.yaml")
    rows = project_annotators.apply(cvat_client.connect(name, Home.find()), labels)
    for row in rows:
        if not row.signed_up:
            row.invitation = project_annotators.invitation(row.email, outputs)
    if as_json:
        print_json({"name": name, "annotators": [row.model_dump() for row in rows]})
    else:
        _print(rows)


def _print(rows: list[AppliedAnnotator]) -> None:
    for row in rows:
        changes = [f"{row.new_jobs} new jobs"] if row.new_jobs else []
        changes += [f"now in group {row.group}"] if row.group_set else []
        state = f"{row.username}: {', '.join(changes) or 'as before'}" if row.signed_up else NOT_SIGNED_UP
        typer.echo(f"  {row.email:<32} {state}")
        for note in row.notes:
            typer.echo(f"  {'':<32} {note}")
    for row in rows:
        if row.invitation:
            typer.echo(f"\n{row.invitation}", nl=False)


@annotators.command("list")
def list_(name: Name, as_json: Json = False) -> None:
    """List the annotators of the labels file and all accounts, with their jobs."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from labelspace.home import Home
    from labelspace_ops.cvat import client as cvat_client
    from labelspace_ops.labels import labels_file
    from labelspace_ops.projects import annotators as project_annotators

    rows = project_annotators.list_annotators(cvat_client.connect(name, Home.find()), labels_file.load(name))
    if as_json:
        print_json([row.model_dump() for row in rows])
        return
    table = Table("e-mail", "user name", "group", "jobs", "completed", "in the file", box=None)
    for row in rows:
        jobs = (str(row.jobs), str(row.completed)) if row.signed_up else ("", "")
        in_file = "yes" if row.in_file else "no"
        cells = (row.email, row.username or NOT_SIGNED_UP, row.group, *jobs, in_file)
        table.add_row(*map(escape, cells))
    Console(highlight=False).print(table)

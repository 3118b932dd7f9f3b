"""Commands on annotators: ``annotators apply | list``."""

from __future__ import annotations

from typing import Any

import typer

from labelspace_ops.cli.app import Json, Name, app, outputs_of, print_json

annotators = typer.Typer(help="Annotators as code, in the labels file.", no_args_is_help=True)
app.add_typer(annotators, name="annotators")


@annotators.command()
def apply(name: Name, as_json: Json = False) -> None:
    """Set roles and distribute jobs by the labels file; list who has not signed up, with an invitation."""
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
        is_missing = not row["signed_up"]
        row["invitation"] = (
            project_annotators.invitation(row["email"], outputs["url"], outputs["description"])
            if is_missing
            else ""
        )
    if as_json:
        print_json({"name": name, "annotators": rows})
    else:
        _print(rows)


def _print(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        changes = [f"{row['new_jobs']} new jobs"] if row["new_jobs"] else []
        changes += [f"now in group {row['group']}"] if row["group_set"] else []
        state = (
            f"{row['username']}: {', '.join(changes) or 'as before'}"
            if row["signed_up"]
            else "did not sign up yet"
        )
        typer.echo(f"  {row['email']:<32} {state}")
        for note in row["notes"]:
            typer.echo(f"  {'':<32} {note}")
    for row in rows:
        if row["invitation"]:
            typer.echo(f"\n{row['invitation']}", nl=False)


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
        print_json(rows)
        return
    table = Table("e-mail", "user name", "group", "jobs", "completed", "in the file", box=None)
    for row in rows:
        jobs = (str(row["jobs"]), str(row["completed"])) if row["signed_up"] else ("", "")
        name_shown = row["username"] or "did not sign up yet"
        cells = (row["email"], name_shown, row["group"], *jobs, "yes" if row["in_file"] else "no")
        table.add_row(*map(escape, cells))
    Console(highlight=False).print(table)

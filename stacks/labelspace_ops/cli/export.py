"""The command ``export``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.cli.app import Json, Name, app, print_json
from labelspace_ops.cli.own_stack import on_any_stack
from labelspace_ops.core.errors import UsageError

if TYPE_CHECKING:
    from labelspace_ops.cvat.client import CvatClient


@app.command()
@on_any_stack
def export(
    name: Name,
    *,
    project: Annotated[str, typer.Option(help="project to export")],
    form: Annotated[str, typer.Option("--format", help="name of the format in CVAT")] = "CVAT for images 1.1",
    images: Annotated[bool, typer.Option("--images", help="include the images")] = False,
    for_training: Annotated[
        bool, typer.Option("--for-training", help="without audit labels and attributes")
    ] = False,
    hold_out: Annotated[
        str, typer.Option(help="leave out images of this subset (needs --for-training)")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="file to write; by default <project>.zip")] = None,
    as_json: Json = False,
) -> None:
    """Export the annotations of a project, for training without audit labels and held-out images."""
    from labelspace.home import Home
    from labelspace_ops.cvat import client as cvat_client
    from labelspace_ops.labels import labels_file, model
    from labelspace_ops.projects import exports, training_export

    if hold_out and not for_training:
        raise UsageError("hold-out: needs --for-training: give both")
    if for_training and form not in training_export.FORMATS:
        raise UsageError(
            f"format: {form!r} cannot be cleaned: choose one of {', '.join(training_export.FORMATS)}"
        )
    path = out or Path(f"{model.slug(project)}.zip")
    if not path.parent.is_dir():
        raise UsageError(f"out: {path.parent} is not a folder: create it, or choose another file with --out")
    labels = labels_file.load(name).project(project)
    client = cvat_client.connect(name, Home.find())
    found = cvat_client.require_project(client, project)
    held_out = _held_out(client, found.id, hold_out)
    with exports.exported_file(client, found.id, form, images=images) as exported:
        if for_training:
            training_export.clean(exported, path, training_export.leave_out(labels, hold_out, held_out))
        else:
            shutil.copyfile(exported, path)
    if as_json:
        print_json(
            {"file": str(path), "format": form, "for_training": for_training, "held_out": len(held_out)}
        )
    else:
        typer.echo(f"{path}: {project} as {form}{', for training' if for_training else ''}")


def _held_out(client: CvatClient, project: int, subset: str) -> frozenset[str]:
    """Return the names of the subset's images; raises ``UsageError`` when there is no such subset."""
    from labelspace_ops.projects import subsets

    held_out = frozenset(subsets.subset_images(client, project, subset)) if subset else frozenset()
    if subset and not held_out:
        known = ", ".join(filter(None, subsets.frames_by_subset(client, project))) or "none"
        raise UsageError(f"hold-out: {subset!r} is not a subset of the project: choose one of: {known}")
    return held_out

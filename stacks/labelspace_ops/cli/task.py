"""Commands on tasks: ``task create``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.cli.app import Json, Name, app, outputs_of, print_json
from labelspace_ops.core.names import first_few, printable

if TYPE_CHECKING:
    from labelspace_ops.projects.tasks import CreatedTask
    from labelspace_ops.stack.state import Properties
    from labelspace_ops.storage.media_files import MediaSelection

task = typer.Typer(help="Tasks of a project.", no_args_is_help=True)
app.add_typer(task, name="task")


@task.command()
def create(
    name: Name,
    *,
    project: Annotated[str, typer.Option(help="project of the new task")],
    source: Annotated[str, typer.Option("--from", help="BUCKET, BUCKET/folder or BUCKET/file")],
    task_name: Annotated[
        str, typer.Option("--name", help="name of the task; by default its location in the bucket")
    ] = "",
    subset: Annotated[
        int | None, typer.Option(min=1, help="only this number of images, drawn at random")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="random seed of the drawn images")] = 0,
    segment_size: Annotated[int, typer.Option(min=0, help="frames in a job; 0: one job")] = 0,
    purpose: Annotated[str, typer.Option("--as", help="CVAT's subset, such as train or validation")] = "",
    assign: Annotated[
        list[str] | None, typer.Option(help="e-mail or user name of an annotator; repeatable")
    ] = None,
    timeout: Annotated[int, typer.Option(min=0, help="seconds to wait for CVAT; 0: no limit")] = 0,
    as_json: Json = False,
) -> None:
    """Create a task from images in a bucket, without copying them; safe to run again."""
    from labelspace.home import Home
    from labelspace_ops.cvat import client as cvat_client
    from labelspace_ops.projects import annotators as project_annotators
    from labelspace_ops.projects import tasks
    from labelspace_ops.storage import media_files

    outputs = outputs_of(name)
    bucket, prefix = media_files.parse_location(source, [one["name"] for one in outputs["buckets"]])
    client = cvat_client.connect(name, Home.find())
    target_project = cvat_client.require_project(client, project)
    assignees = project_annotators.require_users(assign, client.users()) if assign else []
    selection = _select_media(outputs, bucket, prefix, subset, seed)
    spec = tasks.TaskSpec(
        task_name or _default_name(bucket, prefix, subset, seed),
        [f"{bucket}/{key}" for key in selection.keys], segment_size, purpose,
    )  # fmt: skip
    created, new = tasks.ensure(client, target_project.id, spec, timeout or math.inf)
    assigned = project_annotators.share_jobs(client, created.id, assignees)
    result = tasks.CreatedTask(
        task=created.id, name=spec.name, made=new, images=created.size, jobs=created.jobs.count,
        left_out=selection.left_out, unreadable=[printable(key) for key in selection.unreadable],
        assigned=dict(assigned),
    )  # fmt: skip
    if as_json:
        print_json(result.model_dump())
    else:
        _print(result)


def _default_name(bucket: str, prefix: str, subset: int | None, seed: int) -> str:
    location = f"{bucket}/{prefix}".rstrip("/")
    return f"{location} {subset} of seed {seed}" if subset else location


def _select_media(
    outputs: Properties, bucket: str, prefix: str, subset: int | None, seed: int
) -> MediaSelection:
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    from labelspace_ops.storage import media_files
    from labelspace_ops.targets import registry

    columns = (TextColumn("listing files:"), TextColumn("{task.completed:.0f}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("files", total=None)
        target = registry.get(outputs["target"])
        return media_files.find_files(
            target.bucket_client(outputs, bucket),
            bucket,
            prefix,
            subset=subset,
            seed=seed,
            checked=lambda count: bar.advance(line, count),
            unreadable=target.unreadable_keys(outputs, bucket, prefix),
        )


def _print(result: CreatedTask) -> None:
    state = "created" if result.made else "already exists"
    typer.echo(f"task {result.task} {result.name!r}: {state}: {result.images} images, {result.jobs} jobs")
    for reason, count in result.left_out.items():
        typer.echo(f"  left out  {count} {reason}")
    if result.unreadable:
        typer.echo(f"  CVAT's user cannot read {first_few(result.unreadable)}")
    for username, count in result.assigned.items():
        typer.echo(f"  assigned  {count} jobs to {username}")

"""Commands on tasks: ``task create``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelspace_ops.cli.app import Json, Name, app, outputs_of, print_json, say

if TYPE_CHECKING:
    from labelspace_ops.storage.media_files import MediaSelection

task = typer.Typer(help="Tasks of a project.", no_args_is_help=True)
app.add_typer(task, name="task")


@task.command()
def create(
    name: Name,
    *,
    project: Annotated[str, typer.Option(help="project that the task goes into")],
    source: Annotated[str, typer.Option("--from", help="BUCKET, BUCKET/folder or BUCKET/file")],
    task_name: Annotated[
        str, typer.Option("--name", help="name of the task; by default where it is from")
    ] = "",
    subset: Annotated[int | None, typer.Option(min=1, help="so many images alone, drawn at random")] = None,
    seed: Annotated[int, typer.Option(min=0, help="draws the same images again")] = 0,
    segment_size: Annotated[int, typer.Option(min=0, help="frames in a job; 0: one job")] = 0,
    purpose: Annotated[str, typer.Option("--as", help="CVAT's subset, such as train or validation")] = "",
    assign: Annotated[
        list[str] | None, typer.Option(help="e-mail or user name of an annotator; again for more")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a task of images that lie in a bucket, without copying them; safe to run again."""
    from labelspace.home import Home
    from labelspace_ops.cvat import client as cvat_client
    from labelspace_ops.projects import annotators as project_annotators
    from labelspace_ops.projects import tasks
    from labelspace_ops.storage import media_files

    outputs = outputs_of(name)
    bucket, prefix = media_files.parse_location(source, [one["name"] for one in outputs["buckets"]])
    client = cvat_client.connect(name, Home.find(), say)
    found_project = cvat_client.require_project(client, project)
    among = (
        project_annotators.require_users(assign or [], project_annotators.list_users(client))
        if assign
        else []
    )
    found = _look(outputs, bucket, prefix, subset, seed)
    wish = tasks.TaskSpec(
        task_name or _usual_name(bucket, prefix, subset, seed),
        [f"{bucket}/{key}" for key in found.keys], segment_size, purpose,
    )  # fmt: skip
    made, new = tasks.ensure(client, found_project["id"], wish, say)
    given = project_annotators.share_jobs(client, made["id"], among)
    done = {
        "task": made["id"], "name": wish.name, "made": new, "images": made["size"],
        "jobs": made["jobs"]["count"], "left_out": found.left_out, "assigned": dict(given),
    }  # fmt: skip
    if as_json:
        print_json(done)
    else:
        _print(done)


def _usual_name(bucket: str, prefix: str, subset: int | None, seed: int) -> str:
    where = f"{bucket}/{prefix}".rstrip("/")
    return f"{where} {subset} of seed {seed}" if subset else where


def _look(outputs: dict[str, Any], bucket: str, prefix: str, subset: int | None, seed: int) -> MediaSelection:
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    from labelspace_ops.storage import media_files
    from labelspace_ops.targets import registry

    columns = (TextColumn("looking at the files:"), TextColumn("{task.completed:.0f}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("files", total=None)
        s3 = registry.get(outputs["target"]).bucket_client(outputs, bucket)
        return media_files.find_files(
            s3, bucket, prefix, subset=subset, seed=seed, look=lambda n: bar.advance(line, n)
        )


def _print(done: dict[str, Any]) -> None:
    state = "made" if done["made"] else "there already"
    typer.echo(f"task {done['task']} {done['name']!r}: {state}: {done['images']} images, {done['jobs']} jobs")
    for reason, count in done["left_out"].items():
        typer.echo(f"  left out  {count} {reason}")
    for who, count in done["assigned"].items():
        typer.echo(f"  assigned  {count} jobs to {who}")

"""Commands on tasks: ``task create``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelspace_ops.commands.app import Json, Name, app, outputs_of, say, show

if TYPE_CHECKING:
    from labelspace_ops.media import Found

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
    from labelspace_ops import cvat, media, people, tasks

    outputs = outputs_of(name)
    bucket, prefix = media.place(source, [one["name"] for one in outputs["buckets"]])
    client = cvat.of(name, Home.find(), say)
    found_project = cvat.needed_project(client, project)
    among = people.needed(assign or [], people.users(client)) if assign else []
    found = _look(outputs, bucket, prefix, subset, seed)
    wish = tasks.Wish(
        task_name or _usual_name(bucket, prefix, subset, seed),
        [f"{bucket}/{key}" for key in found.keys], segment_size, purpose,
    )  # fmt: skip
    made, new = tasks.ensure(client, found_project["id"], wish, say)
    given = people.share_jobs(client, made["id"], among)
    done = {
        "task": made["id"], "name": wish.name, "made": new, "images": made["size"],
        "jobs": made["jobs"]["count"], "left_out": found.left_out, "assigned": dict(given),
    }  # fmt: skip
    if as_json:
        show(done)
    else:
        _print(done)


def _usual_name(bucket: str, prefix: str, subset: int | None, seed: int) -> str:
    where = f"{bucket}/{prefix}".rstrip("/")
    return f"{where} {subset} of seed {seed}" if subset else where


def _look(outputs: dict[str, Any], bucket: str, prefix: str, subset: int | None, seed: int) -> Found:
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    from labelspace_ops import buckets, media

    columns = (TextColumn("looking at the files:"), TextColumn("{task.completed:.0f}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("files", total=None)
        s3 = buckets.client(outputs, bucket)
        return media.find(s3, bucket, prefix, subset=subset, seed=seed, look=lambda n: bar.advance(line, n))


def _print(done: dict[str, Any]) -> None:
    state = "made" if done["made"] else "there already"
    typer.echo(f"task {done['task']} {done['name']!r}: {state}: {done['images']} images, {done['jobs']} jobs")
    for reason, count in done["left_out"].items():
        typer.echo(f"  left out  {count} {reason}")
    for who, count in done["assigned"].items():
        typer.echo(f"  assigned  {count} jobs to {who}")

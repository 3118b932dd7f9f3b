"""The command ``upload``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.cli.app import Json, Name, app, outputs_of, print_json, say
from labelspace_ops.core.errors import UsageError

if TYPE_CHECKING:
    from labelspace_ops.storage.listing import Storage
    from labelspace_ops.storage.upload import Upload


@app.command()
def upload(
    name: Name,
    paths: Annotated[list[Path], typer.Argument(help="files or folders")],
    bucket: Annotated[
        str | None, typer.Option(help="dataset bucket; needed when the workspace has several")
    ] = None,
    prefix: Annotated[str, typer.Option(help="prefix of every object's name")] = "",
    as_json: Json = False,
) -> None:
    """Upload files to a dataset bucket; files that it already has are skipped."""
    from labelspace_ops.cvat import sleep
    from labelspace_ops.storage.upload import plan_upload
    from labelspace_ops.targets import registry
    from labelspace_ops.targets.base import Capability

    outputs = outputs_of(name)
    uploads = plan_upload(paths, prefix)
    chosen = _choose_bucket(name, bucket, [one["name"] for one in outputs["buckets"]])
    target = registry.get(outputs["target"])
    if target.can(Capability.S3_STOPS):
        sleep.wake(name, outputs)
    uploaded = _send(target.storage(outputs, chosen), uploads)
    not_media = [one.key for one in uploads if not one.opens_in_cvat]
    if not_media:
        say(
            f"warning: CVAT cannot open {', '.join(not_media[:5])}"
            f" ({len(not_media)} in all); they were uploaded anyway"
        )
    result = {
        "bucket": chosen,
        "uploaded": uploaded,
        "skipped": len(uploads) - uploaded,
        "not_media": not_media,
    }
    if as_json:
        print_json(result)
    else:
        typer.echo(f"{chosen}: {uploaded} uploaded, {result['skipped']} already there")


def _choose_bucket(name: str, bucket: str | None, known: list[str]) -> str:
    if bucket is None and len(known) == 1:
        return known[0]
    if bucket is None:
        raise UsageError(f"bucket: {name} has several: choose one of {', '.join(known)} (--bucket)")
    if bucket not in known:
        raise UsageError(
            f"bucket: {bucket!r} is not a bucket of {name}: choose one of {', '.join(known)} (--bucket)"
        )
    return bucket


def _send(to: Storage, uploads: list[Upload]) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from labelspace_ops.storage.upload import upload_all

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"to {to.bucket}", total=sum(one.size for one in uploads))
        return upload_all(to, uploads, lambda count: bar.advance(task, count))

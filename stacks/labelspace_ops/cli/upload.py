"""The command ``upload``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.cli.app import Json, Name, app, outputs_of, print_json, say
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.names import first_few, printable

if TYPE_CHECKING:
    from labelspace_ops.storage.listing import Storage
    from labelspace_ops.storage.upload import Upload, UploadResult
    from labelspace_ops.workspaces.models import Uploaded


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
    from labelspace_ops.storage.upload import plan_upload, shown
    from labelspace_ops.targets import registry
    from labelspace_ops.targets.base import Capability, refuse_own_folder
    from labelspace_ops.workspaces.models import Uploaded

    outputs = outputs_of(name)
    uploads = plan_upload(paths, prefix)
    chosen = _choose_bucket(name, bucket, [one["name"] for one in outputs["buckets"]])
    refuse_own_folder(outputs, chosen)
    target = registry.get(outputs["target"])
    if target.can(Capability.S3_STOPS):
        sleep.wake(name, outputs)
    done = _send(target.storage(outputs, chosen), uploads)
    rejected = {one.file: one.reason for one in done.rejected}
    not_media = [one.key for one in uploads if not one.opens_in_cvat and shown(one.path) not in rejected]
    result = Uploaded(
        bucket=chosen,
        uploaded=done.uploaded,
        skipped=done.skipped,
        not_media=not_media,
        unreadable=_unreadable(lambda: target.unreadable_keys(outputs, chosen, prefix)),
        rejected=rejected,
    )
    if as_json:
        print_json(result.model_dump())
    else:
        _print(result)
    if rejected:
        raise typer.Exit(1)


def _unreadable(find: Callable[[], Iterable[str]]) -> list[str]:
    """Return what CVAT's user cannot read; nothing when its server does not run now."""
    try:
        return sorted(printable(key) or "the bucket's folder" for key in find())
    except (OpsError, KeyError):
        return []


def _print(result: Uploaded) -> None:
    if result.not_media:
        say(
            f"warning: CVAT cannot open {', '.join(result.not_media[:5])}"
            f" ({len(result.not_media)} in all); they were uploaded anyway"
        )
    if result.unreadable:
        say(
            f"warning: CVAT's user cannot read {first_few(result.unreadable)}: run `chmod -R a+rX` on the"
            " bucket's folder, else tasks leave them out"
        )
    for file, reason in result.rejected.items():
        say(f"not uploaded: {file}: {reason}")
    failed = f", {len(result.rejected)} cannot be uploaded" if result.rejected else ""
    typer.echo(f"{result.bucket}: {result.uploaded} uploaded, {result.skipped} already there{failed}")


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


def _send(to: Storage, uploads: list[Upload]) -> UploadResult:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from labelspace_ops.storage.upload import upload_all

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"to {to.bucket}", total=sum(one.size for one in uploads))
        return upload_all(to, uploads, lambda count: bar.advance(task, count))

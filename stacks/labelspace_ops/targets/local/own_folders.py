"""Dataset buckets that are folders of the user's own: what is refused before anything is made."""

from __future__ import annotations

from pathlib import Path

from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace.spec import LocalSpec
from labelspace.targets.local import own_folder
from labelspace_ops.core.errors import UsageError
from labelspace_ops.runtime.base import Job, Mount, Result, Runtime, RuntimeFailedError
from labelspace_ops.targets.local.bucket_folders import holds_files

CVAT_USER = "1000:1000"
LIST = ["sh", "-c", "test -r /folder && test -x /folder && ls -A /folder | head -n 1"]


def check(spec: LocalSpec, home: Home) -> None:
    """Raise ``UsageError`` for a folder that is not there, is a file, or holds labelspace's own data."""
    for index, bucket in enumerate(spec.buckets):
        if bucket.path and (problem := own_folder.problem(bucket.path, home)):
            raise UsageError(f"buckets.{index}.path: {problem}")


def check_readable(runtime: Runtime, spec: LocalSpec) -> None:
    """Open each folder in a container as CVAT's user; raise ``UsageError`` where that fails.

    Only the engine knows who CVAT's user is outside of containers (rootless Docker, ``userns-remap``), and
    which folders it shares (Docker Desktop). The images must be there.
    """
    for index, bucket in enumerate(spec.buckets):
        if bucket.path:
            _check_readable(runtime, f"buckets.{index}.path", bucket.path)


def _check_readable(runtime: Runtime, field: str, folder: str) -> None:
    listed = _list(runtime, field, folder)
    if listed.exit_code:
        raise UsageError(
            f"{field}: CVAT's user cannot open {folder}: let others read it (`chmod o+rx {folder}`), or give"
            " another folder"
        )
    if not listed.output.strip() and holds_files(Path(folder)):
        raise UsageError(
            f"{field}: the Docker engine sees an empty folder at {folder}: it runs on another machine, or in"
            " a virtual one that does not share the folder: share it, or give another folder"
        )


def _list(runtime: Runtime, field: str, folder: str) -> Result:
    mount = Mount(folder, "/folder", read_only=True)
    try:
        return runtime.run(Job(IMAGES["versitygw"], LIST, mounts=(mount,), user=CVAT_USER))
    except RuntimeFailedError:
        raise UsageError(
            f"{field}: the Docker engine cannot use {folder}: Docker Desktop shares only the folders of its"
            " settings (Resources, File sharing), a rootless engine only what its user may open: give a"
            " folder that it can use"
        ) from None

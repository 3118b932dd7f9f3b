"""Folders of dataset buckets on this machine: which ones were made, and which of them are gone or emptied."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from labelspace.home import Home
from labelspace.spec import BucketSpec, LocalSpec
from labelspace_ops.core.errors import OpsError


def known_folders(home: Home) -> set[str]:
    """Return the buckets whose folders were made here: the gateway has data of its own about each."""
    return {path.name for path in home.gateway.iterdir()} if home.gateway.exists() else set()


def check(spec: LocalSpec, home: Home) -> None:
    """Raise ``OpsError`` for a bucket whose folder is gone or has become an empty mount point.

    The engine would make an empty one, and CVAT would show no files.
    """
    known = known_folders(home)
    filled = _filled(spec.name, home)
    for index, bucket in enumerate(spec.buckets):
        if bucket.endpoint:
            continue
        folder = _folder(bucket, home)
        if not bucket.path and bucket.name in known and not folder.exists():
            raise OpsError(
                f"buckets.{index}: the folder of {bucket.name!r} is gone: bring {folder} back (is a disk not"
                f" mounted?), or begin with an empty one: `mkdir {folder}`"
            )
        if is_emptied(folder, filled):
            raise OpsError(
                f"buckets.{index}: {folder} is another folder than before, and empty: bring the files of"
                f" {bucket.name!r} back (is a disk not mounted?), or put a file into it to begin anew:"
                f" `touch {folder}/empty.txt`"
            )


def record(spec: LocalSpec, home: Home) -> None:
    """Remember the folders that hold files, by their inodes: an unmounted disk leaves another folder.

    What was remembered of a folder that is gone or replaced by an empty one stays.
    """
    before = _filled(spec.name, home)
    folders = [_folder(bucket, home) for bucket in spec.buckets if not bucket.endpoint]
    filled = {str(folder): inode for folder in folders if (inode := _inode(folder, before))}
    home.filled_folders.mkdir(parents=True, exist_ok=True)
    _record_file(spec.name, home).write_text(json.dumps(filled))


def _folder(bucket: BucketSpec, home: Home) -> Path:
    return Path(bucket.path or home.buckets / bucket.name)


def _inode(folder: Path, before: Mapping[str, int]) -> int | None:
    holds = _holds_files(folder)
    if holds:
        return folder.stat().st_ino
    return before.get(str(folder)) if holds is None or is_emptied(folder, before) else None


def forget(workspace: str, home: Home) -> None:
    """Remove the record of a workspace."""
    _record_file(workspace, home).unlink(missing_ok=True)


def emptied_folders(workspace: str, home: Home) -> set[Path]:
    """Return the folders that held files and were replaced by empty ones since then."""
    filled = _filled(workspace, home)
    return {Path(folder) for folder in filled if is_emptied(Path(folder), filled)}


def is_emptied(folder: Path, filled: Mapping[str, int]) -> bool:
    """Return whether another folder that held files was there; ``filled``: inodes by folder."""
    inode = filled.get(str(folder))
    return inode is not None and _holds_files(folder) is False and folder.stat().st_ino != inode


def _filled(workspace: str, home: Home) -> dict[str, int]:
    """Return the record; empty without one, or after a power cut in the middle of writing it."""
    try:
        return dict(json.loads(_record_file(workspace, home).read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def _record_file(workspace: str, home: Home) -> Path:
    return home.filled_folders / f"{workspace}.json"


def _holds_files(folder: Path) -> bool | None:
    """Return whether there is anything in a folder; None when it is gone or may not be listed."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return None

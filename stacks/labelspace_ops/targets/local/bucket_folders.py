"""Folders of dataset buckets on this machine: which ones were made, and which of them are gone or emptied."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
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
        folder = folder_of(bucket, home)
        begin_anew = f"`touch {folder}/empty.txt`"
        if not bucket.path and bucket.name in known and not folder.exists():
            file = f" and {begin_anew}" if str(folder) in filled else ""
            raise OpsError(
                f"buckets.{index}: the folder of {bucket.name!r} is gone: bring {folder} back (is a disk not"
                f" mounted?), or begin with an empty one: `mkdir {folder}`{file}"
            )
        if is_emptied(folder, filled):
            raise OpsError(
                f"buckets.{index}: {folder} is another folder than before, and empty: bring the files of"
                f" {bucket.name!r} back (is a disk not mounted?), or put a file into it to begin anew:"
                f" {begin_anew}"
            )


def folder_of(bucket: BucketSpec, home: Home) -> Path:
    """Return the folder of a bucket that is on this machine."""
    return Path(bucket.path or home.buckets / bucket.name)


def record_all(spec: LocalSpec, home: Home) -> None:
    """Record every folder of a workspace."""
    record(spec.name, [folder_of(one, home) for one in spec.buckets if not one.endpoint], home)


def record(workspace: str, folders: Iterable[Path], home: Home) -> None:
    """Remember which folders hold files, by their inodes: an unmounted disk leaves another folder.

    What was remembered of a folder that is gone or replaced by an empty one stays. A record that cannot be
    written stays as it was: no command fails by it.
    """
    before = _filled(workspace, home)
    now = {str(folder): _inode(folder, before) for folder in folders}
    filled = {folder: inode for folder, inode in (before | now).items() if inode is not None}
    if filled != before:
        with suppress(OSError):
            _write(_record_file(workspace, home), json.dumps(filled))


def _write(file: Path, text: str) -> None:
    """Replace a file as a whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}-{os.getpid()}")
    part.write_text(text)
    part.replace(file)


def _inode(folder: Path, before: Mapping[str, int]) -> int | None:
    holds = holds_files(folder)
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
    return inode is not None and holds_files(folder) is False and folder.stat().st_ino != inode


def _filled(workspace: str, home: Home) -> dict[str, int]:
    """Return the record; empty without one, and for one that is damaged."""
    try:
        return dict(json.loads(_record_file(workspace, home).read_text()))
    except (OSError, ValueError):
        return {}


def _record_file(workspace: str, home: Home) -> Path:
    return home.filled_folders / f"{workspace}.json"


def holds_files(folder: Path) -> bool | None:
    """Return whether there is anything in a folder; None when it is gone or may not be listed."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return None

"""Snapshots of files by restic; a snapshot's tag is the identifier of its backup."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from . import files
from .programs import NICE, FailedError, Json, run
from .settings import CVAT, Settings

CACHES = ("/cvat/data/cache", "/cvat/data/tmp")
"""CVAT makes these files again by itself (CACHE_ROOT, TMP_FILES_ROOT)."""
READ_ALL_BELOW = 2**30
"""A repository smaller than this (bytes) is read whole when it is checked."""
READ_OTHERWISE = "5%"
REPLACED = "replaced-"
"""How tags of what a restore replaced begin."""


def _restic(settings: Settings, *words: str, throttled: bool = False, into: IO[bytes] | None = None) -> str:
    env = {
        "RESTIC_REPOSITORY": settings.restic,
        "RESTIC_PASSWORD": settings.key,
        "RESTIC_CACHE_DIR": "/tmp/restic",  # noqa: S108 - inside the container
        "GOGC": "25",
        **settings.restic_environment,
    }
    authority = [f"--cacert={settings.authority}"] if settings.authority else []
    command = ["restic", *authority, *words]
    return run(command, user="root", env=env, nice=NICE, throttled=throttled, into=into)


def prepare(settings: Settings) -> None:
    """Create the repository when there is none; remove the lock of a process that was killed."""
    if exists(settings):
        _restic(settings, "unlock", "--remove-all")
    else:
        _restic(settings, "init")  # nobody can have locked it yet


def exists(settings: Settings) -> bool:
    """Whether there is a repository; raises ``FailedError`` when that cannot be found out."""
    return bool(identity(settings))


def identity(settings: Settings) -> str:
    """The identifier of the repository; empty when there is none."""
    try:
        return str(json.loads(_restic(settings, "cat", "config", "--no-lock"))["id"])
    except FailedError as error:
        if "unable to open config file" not in str(error) and "does not exist" not in str(error):
            raise
        return ""


def snapshots(settings: Settings) -> dict[str, Json]:
    """The snapshots by their tags."""
    rows = json.loads(_restic(settings, "snapshots", "--json", "--no-lock"))
    return {tag: row for row in rows for tag in row.get("tags") or []}


def take(
    settings: Settings,
    *tags: str,
    paths: Iterable[Path | str] = (CVAT,),
    throttled: bool = False,
) -> None:
    """Copy CVAT's files, or other ``paths``, under ``tags``; unchanged files take no space."""
    options = [f"--exclude={path}" for path in CACHES] + [f"--tag={tag}" for tag in tags]
    words = ("backup", "--quiet", "--host=labelspace", *options, *map(str, paths))
    _restic(settings, *words, throttled=throttled)


def forget_all_but(settings: Settings, labels: set[str]) -> None:
    """Remove snapshots whose database backup is gone; what a restore replaced stays."""
    gone = [
        row["id"]
        for row in json.loads(_restic(settings, "snapshots", "--json", "--no-lock"))
        if not labels.intersection(row.get("tags") or [])
        and not any(tag.startswith(REPLACED) for tag in row.get("tags") or [])
    ]
    if gone:
        _restic(settings, "forget", "--prune", "--quiet", *gone)


def tag(settings: Settings, snapshot: str, added: str) -> None:
    """Add a tag to a snapshot; its identifier changes, its tags and its files do not."""
    _restic(settings, "tag", f"--add={added}", snapshot)


def sizes(settings: Settings, snapshot: str) -> dict[str, int]:
    """Bytes of CVAT's files in a snapshot, by path."""
    with tempfile.TemporaryFile() as listing:
        _restic(settings, "ls", "--json", "--no-lock", snapshot, into=listing)
        listing.seek(0)
        return files.sizes(line.decode() for line in listing)


def record(settings: Settings, label: str) -> files.Record:
    """The record of the files that were just copied under ``label``."""
    return files.record(sizes(settings, snapshots(settings)[label]["id"]), files.identities())


def verify(
    settings: Settings, label: str, recorded: files.Record | None, media: files.Media
) -> files.Checked:
    """Compare the files of a backup with their record and its database; raises ``FailedError``."""
    snapshot = snapshots(settings).get(label)
    if snapshot is None:
        raise FailedError(f"CVAT's files of {label} are missing")
    found = sizes(settings, snapshot["id"])
    compared = files.record(found, {})
    wrong = [
        files.differences(recorded or {}, compared),
        files.foreign(recorded or {}, media.identity),
        files.missing_media(media.rows, found),
    ]
    if any(wrong):
        raise FailedError(f"CVAT's files: {'; '.join(filter(None, wrong))}")
    return files.Checked(check(settings), len(found), sum(found.values()))


def check(settings: Settings) -> str:
    """Read the repository and compare its checksums; returns how much was read."""
    size = json.loads(_restic(settings, "stats", "--mode=raw-data", "--json"))["total_size"]
    whole = size < READ_ALL_BELOW
    reading = "--read-data" if whole else f"--read-data-subset={READ_OTHERWISE}"
    _restic(settings, "check", reading)
    return "all" if whole else READ_OTHERWISE


def restore(settings: Settings, tag: str) -> None:
    """Restore CVAT's files of a snapshot; newer files stay, as the restored database does not name them."""
    row = snapshots(settings)[tag]
    _restic(settings, "restore", row["id"], "--no-lock", "--target=/", f"--include={CVAT}")


def read(settings: Settings, snapshot: str, path: str, into: IO[bytes]) -> None:
    """Write one file of a snapshot into ``into``."""
    _restic(settings, "dump", "--no-lock", snapshot, path, into=into)

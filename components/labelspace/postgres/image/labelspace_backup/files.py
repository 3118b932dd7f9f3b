"""The backups of what CVAT keeps in files, by restic; the tag is the label of the database's backup."""

from __future__ import annotations

import json
from typing import Any

from .programs import YIELDING, FailedError, run
from .settings import CVAT, Settings

PASSING = ("/cvat/data/cache", "/cvat/data/tmp")
"""What CVAT makes again by itself (CACHE_ROOT, TMP_FILES_ROOT)."""
READ_ALL_BELOW = 2**30
"""A repository smaller than this (bytes) is read whole when it is checked."""
READ_OTHERWISE = "5%"


def _restic(settings: Settings, *words: str, gently: bool = False) -> str:
    env = {
        "RESTIC_REPOSITORY": settings.restic,
        "RESTIC_PASSWORD": settings.key,
        "RESTIC_CACHE_DIR": "/tmp/restic",  # noqa: S108 - inside the container
        "GOGC": "25",
        **settings.restic_environment,
    }
    authority = [f"--cacert={settings.authority}"] if settings.authority else []
    return run(["restic", *authority, *words], user="root", env=env, niceness=YIELDING, gently=gently)


def prepare(settings: Settings) -> None:
    """Make the repository usable, and free it of the lock of a process that was killed."""
    try:
        _restic(settings, "cat", "config")
    except FailedError as error:
        if "unable to open config file" not in str(error) and "does not exist" not in str(error):
            raise
        _restic(settings, "init")  # nobody can have locked it yet
    else:
        _restic(settings, "unlock", "--remove-all")


def snapshots(settings: Settings) -> dict[str, dict[str, Any]]:
    """The snapshots by the label that they belong to."""
    rows = json.loads(_restic(settings, "snapshots", "--json", "--no-lock"))
    return {tag: row for row in rows for tag in row.get("tags") or []}


def take(settings: Settings, tag: str, *, gently: bool) -> None:
    """Copy CVAT's files under ``tag``; unchanged ones cost nothing."""
    excluded = [f"--exclude={path}" for path in PASSING]
    words = ("backup", "--quiet", "--host=labelspace", f"--tag={tag}", *excluded, str(CVAT))
    _restic(settings, *words, gently=gently)


def take_folder(settings: Settings, tag: str, folder: str) -> None:
    """Keep a folder as it is: what a restore replaces when no backup of it can be taken."""
    _restic(settings, "backup", "--quiet", "--host=labelspace", f"--tag={tag}", folder)


def forget_all_but(settings: Settings, labels: set[str]) -> None:
    """Remove snapshots whose database backup is gone; what a restore replaced stays."""
    known = snapshots(settings)
    gone = [row["id"] for tag, row in known.items() if tag not in labels and not tag.startswith("replaced-")]
    if gone:
        _restic(settings, "forget", "--prune", "--quiet", *gone)


def check(settings: Settings) -> str:
    """Read the repository and compare its checksums; returns how much was read."""
    size = json.loads(_restic(settings, "stats", "--mode=raw-data", "--json"))["total_size"]
    whole = size < READ_ALL_BELOW
    reading = "--read-data" if whole else f"--read-data-subset={READ_OTHERWISE}"
    _restic(settings, "check", reading)
    return "all" if whole else READ_OTHERWISE


def restore(settings: Settings, tag: str) -> None:
    """Put a snapshot's files back; newer files stay, as what the database does not name is never shown."""
    row = snapshots(settings)[tag]
    _restic(settings, "restore", row["id"], "--no-lock", "--target=/", f"--include={CVAT}")

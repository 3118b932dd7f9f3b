"""A gap in the archive: WAL segments that were discarded, because too many waited.

``pgbackrest-archive.sh`` records them in a folder of the data. A backup that is taken after them closes the
gap: the changes before it stay lost, those after it can be restored again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from .settings import DATA, Settings

FOLDER = DATA / "labelspace-gap"
SEGMENTS, ENDED = "segments", "ended"
"""A line ``NAME MODIFIED`` for each lost segment; a file that is there when the archive works again."""


def began(settings: Settings, until: datetime | None = None, folder: Path = FOLDER) -> datetime | None:
    """The time from which changes are lost (those before ``until`` alone); None when none are.

    A segment holds the changes of up to ``archive_timeout_seconds`` before it was written last.
    """
    lost = [at for at in _read(folder).values() if until is None or at < until.timestamp()]
    return datetime.fromtimestamp(min(lost) - settings.archive_timeout_seconds, UTC) if lost else None


def ended(folder: Path = FOLDER) -> bool:
    """Whether there is a gap, and the archive works again."""
    return bool(_read(folder)) and (folder / ENDED).exists()


def close(stop: datetime, folder: Path = FOLDER) -> None:
    """Forget the segments that a backup replaces, which ended at ``stop``; later ones stay lost."""
    if not _read(folder):
        return
    with _locked(folder):
        later = {name: at for name, at in _read(folder).items() if at >= stop.timestamp()}
        (folder / SEGMENTS).write_text("".join(f"{name} {at:.0f}\n" for name, at in later.items()))


def _read(folder: Path) -> dict[str, float]:
    """The lost segments and when each was written last, in seconds since the epoch."""
    try:
        rows = [line.split() for line in (folder / SEGMENTS).read_text().splitlines()]
    except FileNotFoundError:
        return {}
    return {row[0]: float(row[1]) for row in rows if len(row) == 2}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The lock that ``pgbackrest-archive.sh`` takes."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

"""The repository that this database was backed up to last, recorded in the database's folder.

When a bucket no longer holds the newest recorded backup, the loss is reported, and no new backups begin until
somebody accepts it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from .engine import Backup
from .settings import DATA, Settings

FILE = DATA / "labelspace-place"
"""No backup contains it (``exclude`` in pgBackRest's configuration): a restored database has no record."""


@dataclass(frozen=True)
class LastRepository:
    """Where the newest backup was written (restic's repository), its label, and its end (ISO 8601)."""

    place: str
    label: str
    when: str


def read() -> LastRepository | None:
    """The record; None before the first backup, after a restore, and when it cannot be read."""
    try:
        return LastRepository(**json.loads(FILE.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write(settings: Settings, newest: Backup) -> None:
    """Record the newest backup."""
    last = LastRepository(settings.restic, newest.label, newest.stop.isoformat(timespec="seconds"))
    FILE.write_text(json.dumps(asdict(last)))


def _recorded(settings: Settings) -> LastRepository | None:
    """The record, if it names the repository of these settings."""
    last = read()
    return last if last and last.place == settings.restic else None


def moved(settings: Settings) -> bool:
    """Whether changes went to another repository until now: no backup of this one reaches them."""
    return _recorded(settings) is None


def location(settings: Settings) -> str:
    """The folder of the backups in their bucket, as ``https://ENDPOINT/BUCKET/labelspace/WORKSPACE``."""
    return settings.restic.removeprefix("s3:").removesuffix("/files")


def newest(settings: Settings) -> str:
    """Which backup must be in the bucket, after an error of reading it; empty when that is not known."""
    last = _recorded(settings)
    if not settings.endpoint or last is None:
        return ""
    return f"; the newest in {location(settings)} was {last.label} of {last.when}"


def lost(settings: Settings, found: Iterable[Backup]) -> str:
    """Why the backups ``found`` in a bucket are not those of this database; empty when they are.

    A folder is checked by ``labelspace_ops.backup.retained``.
    """
    last, labels = _recorded(settings), [one.label for one in found]
    if not settings.endpoint or last is None or last.label in labels:
        return ""
    place = location(settings)
    name, holds = place.rpartition("/")[2], "other backups" if labels else "no backups"
    return (
        f"the backups in {place} are gone: it holds {holds}, and the newest was {last.label} of {last.when}:"
        f" bring them back, or begin with new backups: `labelspace backups {name} --accept {last.label}`"
    )


def is_lost(settings: Settings, found: Iterable[Backup], label: str) -> bool:
    """Whether the backups are lost and ``label`` was the newest of them."""
    last = _recorded(settings)
    return last is not None and last.label == label and bool(lost(settings, found))

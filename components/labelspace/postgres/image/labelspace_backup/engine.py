"""What the two engines have in common: drill, schedule and command line know nothing else of them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from . import proofs, record
from .scratch import Scratch
from .settings import Settings


@dataclass(frozen=True)
class Backup:
    """One backup: its identifier, kind (full, diff, incr, dump), end (UTC), sizes in bytes, its record."""

    label: str
    kind: str
    stop: datetime
    size: int
    added: int
    """Bytes that it added to the place of the backups."""
    complete: bool
    """False: it was interrupted while it was taken."""
    timeline: int
    """Each physical restore begins a new one; 0 for dumps."""
    record: record.Record | None
    """None where the list does not tell it; ``Engine.expected`` does."""


@dataclass(frozen=True)
class Request:
    """A restore: the backup, pgBackRest's target, the files' snapshot, the migrations of the CVAT to come."""

    label: str
    target: list[str]
    files: str
    known: list[str]


class Engine(Protocol):
    """Takes, lists and restores the backups of one database; every method raises ``FailedError``."""

    settings: Settings
    proofs: proofs.Proofs
    allows_empty: bool
    """Whether a backup without any row can be proven."""
    drills_at_once: bool
    """Whether the first drill is due as soon as there is a backup."""

    def backups(self) -> list[Backup]:
        """Every backup, oldest first."""

    def take(self, kind: str, *, throttled: bool = False) -> Backup:
        """Take a backup now; ``kind``: ``full`` or ``incr``, where that makes a difference."""

    def expected(self, backup: Backup) -> record.Record | None:
        """What the backup held when it was taken; None for a dump without a record."""

    def restored(self, backup: Backup, *, network: str = "none") -> AbstractContextManager[Scratch]:
        """Restore a backup into a scratch database, reached from ``network``, and removed afterwards."""

    def check_files(self, backup: Backup) -> str:
        """Read CVAT's files of a backup; returns how much was read, empty where backups hold none."""

    def migrations(self) -> str:
        """The digest of the migrations of the database now."""

    def archive(self) -> dict[str, Any]:
        """The state of the archive of changes; empty without one."""

    def prepare(self) -> None:
        """Make the place of the backups usable, with a first backup."""

    def restore(self, request: Request, *, same_place: bool) -> dict[str, Any]:
        """Restore database and CVAT's files in place of the current ones."""

    def load(self, dump: Path) -> dict[str, Any]:
        """Fill the database from a portable dump."""

    def write_dump(self, request: Request, dump: Path) -> int:
        """Write a backup as a portable dump; returns its rows."""


def row(backup: Backup) -> dict[str, Any]:
    """A backup as the command line lists it."""
    return {
        "id": backup.label,
        "kind": backup.kind,
        "when": backup.stop.isoformat(timespec="seconds"),
        "size": backup.size,
        "added": backup.added,
        "complete": backup.complete,
        "timeline": backup.timeline,
        "rows": backup.record.rows if backup.record else None,
        "latest": (backup.record.latest or {}) if backup.record else {},
    }

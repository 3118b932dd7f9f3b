"""What the two engines have in common: drill, schedule and command line know nothing else of them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from . import drill_results, files, record
from .programs import FailedError, Json
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
    files: files.Record | None = None
    """What CVAT's files were; None where backups hold none, or before they are recorded."""
    repository: str = ""
    """The identifier of the repository that holds its files; empty where it is that of the database."""
    accepted: bool = False
    """Whether somebody agreed that its files are fewer than those of the backup before."""
    lost_from: str = ""
    """Changes from this time until this backup can not be restored (ISO 8601); empty where none are lost."""


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
    drill_results: drill_results.DrillResults
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

    def check_files(self, backup: Backup, media: files.Media) -> files.Checked:
        """Read CVAT's files of a backup, and compare them with their record and with its database."""

    def lost_backups(self, found: list[Backup]) -> str:
        """Why the backups ``found`` are not those that were taken last; empty when they are."""

    def accept(self, label: str) -> None:
        """Agree that the files of a backup are fewer than before, or that earlier backups are gone."""

    def migrations(self) -> str:
        """The digest of the migrations of the database now."""

    def archive(self) -> Json:
        """The state of the archive of changes; empty without one."""

    def has_gap(self) -> bool:
        """Whether changes never reached the archive, and a full backup can close the gap now."""

    def prepare(self) -> None:
        """Make the place of the backups usable, with a first backup."""

    def restore(self, request: Request, *, same_place: bool) -> Json:
        """Restore database and CVAT's files in place of the current ones."""

    def load(self, dump: Path) -> Json:
        """Fill the database from a portable dump."""

    def write_dump(self, request: Request, dump: Path) -> int:
        """Write a backup as a portable dump; returns its rows."""


def find(engine: Engine, label: str) -> Backup:
    """The backup of a label; raises ``FailedError`` when there is none."""
    found = next((one for one in engine.backups() if one.label == label), None)
    if found is None:
        raise FailedError(f"there is no backup {label}")
    return found


def losses(backups: list[Backup], percent: int) -> dict[str, str]:
    """The backups whose files shrank by more than ``percent`` and that nobody accepted, with what shrank.

    Each is compared with the newest backup before it that did not shrink.
    """
    found: dict[str, str] = {}
    before: Backup | None = None
    for backup in backups:
        if backup.files is None:
            continue
        loss = _loss(before, backup, percent) if before and not backup.accepted else ""
        if loss:
            found[backup.label] = loss
        else:
            before = backup
    return found


def _loss(before: Backup, backup: Backup, percent: int) -> str:
    if before.repository != backup.repository:
        return f"the copies of files up to {before.label} are gone: a new repository is in their place"
    return files.shrinkage(before.files or {}, backup.files or {}, percent)


def held(backups: list[Backup], percent: int) -> bool:
    """Whether nothing may expire: the files of the newest backup shrank and nobody accepted it."""
    recorded = [one.label for one in backups if one.files is not None]
    return bool(recorded) and recorded[-1] in losses(backups, percent)


def rows(backups: list[Backup], percent: int) -> list[Json]:
    """Backups as the command line lists them."""
    shrunk = losses(backups, percent)
    return [{**_row(one), "shrunk": shrunk.get(one.label, "")} for one in backups]


def _row(backup: Backup) -> Json:
    recorded = backup.files
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
        "lost_from": backup.lost_from,
        "identities": {name: one.identity for name, one in recorded.items()} if recorded else {},
        "files_count": sum(one.count for one in recorded.values()) if recorded else None,
        "files_bytes": sum(one.bytes for one in recorded.values()) if recorded else None,
    }

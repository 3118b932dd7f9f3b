"""What a restore will do, decided before anything changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from labelspace_ops.backup.models import BackupRow
from labelspace_ops.core.errors import UsageError

SAME_TIMELINE = "--target-timeline=current"
"""The backup's own timeline: the newest one may have left it before the backup was taken."""


@dataclass(frozen=True)
class RestorePlan:
    """How a moment is restored."""

    backup: str
    """The id of the backup to start from."""
    target: list[str]
    """pgBackRest's options; none for a dump."""
    files: str
    """The id of the backup whose files are restored; empty for none."""
    moment: str
    """For people."""


def parse_time(text: str) -> datetime:
    """Parse ISO 8601, in this machine's time zone when it names none; raises ``UsageError``."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise UsageError(f"to: {text!r} is no time: write it as 2026-11-24T15:04:00Z") from None


def make_plan(rows: list[BackupRow], to: str, backup: str, now: datetime) -> RestorePlan:
    """Plan the restore of a time, a backup, or (neither) the last change; ``rows``: oldest first.

    Raises ``UsageError`` with what can be restored.
    """
    if to and backup:
        raise UsageError("to, backup: give one of them")
    complete = [row for row in rows if row.complete]
    if not complete:
        raise UsageError("there is no complete backup to restore")
    if backup:
        return _of_backup(rows, backup)
    return _of_time(complete, parse_time(to), now) if to else _of_last_change(complete)


def _of_last_change(rows: list[BackupRow]) -> RestorePlan:
    files = _newest_files(rows)
    if rows[-1].is_dump:
        return _of_dump(rows[-1], files)
    timeline = max(row.timeline for row in rows)
    newest = [row for row in rows if row.timeline == timeline][-1]
    return RestorePlan(newest.id, ["--type=default", SAME_TIMELINE], files, "the last archived change")


def _of_backup(rows: list[BackupRow], backup: str) -> RestorePlan:
    found = next((row for row in rows if row.id == backup), None)
    if found is None:
        known = ", ".join(row.id for row in rows[-5:])
        raise UsageError(f"backup: {backup!r} is not there; the newest are: {known}")
    if not found.complete:
        raise UsageError(f"backup: {backup} was interrupted while it was taken: choose another")
    files = backup if found.files else ""
    if found.is_dump:
        return _of_dump(found, files)
    target = ["--type=name", f"--target=labelspace-{backup}", "--target-action=promote", SAME_TIMELINE]
    return RestorePlan(backup, target, files, f"backup {backup}")


def _of_time(rows: list[BackupRow], to: datetime, now: datetime) -> RestorePlan:
    restorable = f"restorable is from {rows[0].when} until now"
    if to > now:
        raise UsageError(f"to: {to.isoformat()} is in the future: {restorable}")
    older = [row for row in rows if datetime.fromisoformat(row.when) < to]
    if not older:
        raise UsageError(f"to: {to.isoformat()} is before the oldest backup: {restorable}")
    _check_not_lost(rows, to)
    files = _newest_files(older)
    if older[-1].is_dump:
        return _of_dump(older[-1], files)
    target = ["--type=time", f"--target={to.isoformat(sep=' ')}", "--target-action=promote", SAME_TIMELINE]
    return RestorePlan(older[-1].id, target, files, to.isoformat())


def _check_not_lost(rows: list[BackupRow], to: datetime) -> None:
    """Raise ``UsageError`` for a time whose changes never reached the archive."""
    for row in rows:
        if row.lost_from and datetime.fromisoformat(row.lost_from) <= to < datetime.fromisoformat(row.when):
            raise UsageError(
                f"to: the changes between {row.lost_from} and {row.when} were lost, because too many waited"
                f" for the archive: `labelspace restore NAME --to {row.lost_from}` or"
                f" `labelspace restore NAME --backup {row.id}`"
            )


def _of_dump(row: BackupRow, files: str) -> RestorePlan:
    return RestorePlan(row.id, [], files, f"backup {row.id}")


def _newest_files(rows: list[BackupRow]) -> str:
    """The newest backup that has the files: one whose files shrank is used only where there is no other."""
    with_files = [row for row in rows if row.files]
    return ([row.id for row in with_files if not row.shrunk] or [row.id for row in with_files] or [""])[-1]

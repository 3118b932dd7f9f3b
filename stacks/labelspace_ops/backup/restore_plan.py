"""What a restore will do, decided before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labelspace_ops.core.errors import UsageError

ALONG = "--target-timeline=current"
"""The backup's own timeline: the newest may have left it before the backup was taken."""


@dataclass(frozen=True)
class RestorePlan:
    """The backup to start from, pgBackRest's target, the files' snapshot, and the moment in words."""

    backup: str
    target: list[str]
    files: str
    moment: str


def parse_time(text: str) -> datetime:
    """A time as users write it: ISO 8601, of this machine's zone when it names none."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"to: {text!r} is no time: write it as 2026-11-24T15:04:00Z") from None
    return parsed.astimezone(UTC)


def make_plan(rows: list[dict[str, Any]], to: str, backup: str, now: datetime) -> RestorePlan:
    """``rows`` as the program lists them, oldest first; raises ``UsageError`` that says what there is."""
    whole = [row for row in rows if row["complete"]]
    if to and backup:
        raise UsageError("to, backup: give one of them")
    if not whole:
        raise UsageError("there is no complete backup to restore")
    if backup:
        return _of_backup(rows, backup)
    if to:
        return _of_time(whole, parse_time(to), now)
    if whole[-1].get("kind") == "dump":
        return _of_dump(whole[-1], _newest_files(whole))
    latest = max(row["timeline"] for row in whole)
    newest = [row for row in whole if row["timeline"] == latest][-1]
    return RestorePlan(
        newest["id"], ["--type=default", ALONG], _newest_files(whole), "the last archived change"
    )


def _of_backup(rows: list[dict[str, Any]], backup: str) -> RestorePlan:
    found = next((row for row in rows if row["id"] == backup), None)
    if found is None:
        known = ", ".join(row["id"] for row in rows[-5:])
        raise UsageError(f"backup: {backup!r} is not there; the newest are: {known}")
    if not found["complete"]:
        raise UsageError(f"backup: {backup} was interrupted while it was taken: choose another")
    if found.get("kind") == "dump":
        return _of_dump(found, _files(found))
    target = ["--type=name", f"--target=labelspace-{backup}", "--target-action=promote", ALONG]
    return RestorePlan(backup, target, _files(found), f"backup {backup}")


def _of_time(rows: list[dict[str, Any]], to: datetime, now: datetime) -> RestorePlan:
    if to > now:
        raise UsageError(f"to: {to.isoformat()} is in the future: restorable is {_range(rows)}")
    older = [row for row in rows if datetime.fromisoformat(row["when"]) < to]
    if not older:
        raise UsageError(f"to: {to.isoformat()} is before the oldest backup: restorable is {_range(rows)}")
    if older[-1].get("kind") == "dump":
        return _of_dump(older[-1], _newest_files(older))
    target = ["--type=time", f"--target={to.isoformat(sep=' ')}", "--target-action=promote", ALONG]
    return RestorePlan(older[-1]["id"], target, _newest_files(older), to.isoformat())


def _of_dump(row: dict[str, Any], files: str) -> RestorePlan:
    """A dump holds one moment, and there is no archive of the changes after it."""
    return RestorePlan(row["id"], [], files, f"backup {row['id']}")


def _newest_files(rows: list[dict[str, Any]]) -> str:
    """The newest backup that has the files: one whose files shrank may come from a loss."""
    return next((_files(row) for row in reversed(rows) if row["files"] and not row.get("shrunk")), "")


def _files(row: dict[str, Any]) -> str:
    return str(row["id"]) if row["files"] else ""


def _range(rows: list[dict[str, Any]]) -> str:
    return f"from {rows[0]['when']} until now"

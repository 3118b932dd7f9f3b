"""Calls pgBackRest and reads its answers."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from . import files, record
from .engine import Backup
from .programs import NICE, FailedError, Json, run

COMMAND = ("pgbackrest", "--stanza=main")
OTHER_FORMAT = re.compile(r"expected format (\d+) but found (\d+)")
WRONG_KEY = ("cipher header invalid", "unable to flush", "key/value found outside of section")
"""pgBackRest's messages about files that it decrypted with a wrong key."""
RECORD = "labelspace-record"
"""The annotation that holds a backup's record."""
FILES, REPOSITORY, ACCEPTED = "labelspace-files", "labelspace-repository", "labelspace-accepted"
"""The annotations that hold the record of its files, their repository, and an agreement to a loss."""
LOST = "labelspace-lost"
"""The annotation that holds the time from which changes before the backup are lost."""


def _pgbackrest(*words: str, throttled: bool = False) -> str:
    return run([*COMMAND, *words], nice=NICE, throttled=throttled)


def info() -> Json:
    """pgBackRest's description of the repository; raises ``FailedError`` when it cannot be read."""
    text = _pgbackrest("--output=json", "--log-level-console=off", "--log-level-stderr=error", "info")
    return next(iter(json.loads(text, strict=False)), {})


def repository_error(known: Json) -> str:
    """Why the repository cannot be used; empty when it can."""
    status = known.get("status", {})
    repositories: list[Json] = known.get("repo", [])
    repository = repositories[0]["status"] if repositories else {}
    for one in (repository, status):
        if one.get("code") in (99, 4, 5):  # other, different stanza systems, mismatch
            return _explain(str(one.get("message", "")))
    return ""


def _explain(message: str) -> str:
    other = OTHER_FORMAT.search(message)
    if other:
        return (
            f"they are of pgBackRest's format {other[2]}, this labelspace reads format {other[1]}:"
            " use the labelspace that wrote them, or a newer one"
        )
    if any(sign in message for sign in WRONG_KEY):
        return "the key does not open them"
    return message.partition("\n")[0]


def readable() -> Json:
    """As ``info``; raises ``FailedError`` also when the repository cannot be used."""
    known = info()
    why = repository_error(known)
    if why:
        raise FailedError(f"the place of the backups: {why}")
    return known


def backups(known: Json) -> list[Backup]:
    """Every backup, oldest first."""
    return [_backup(row) for row in known.get("backup", [])]


def _backup(row: Json) -> Backup:
    notes: dict[str, str] = row.get("annotation") or {}
    written = notes.get(RECORD)
    return Backup(
        label=row["label"],
        kind=row["type"],
        stop=datetime.fromtimestamp(row["timestamp"]["stop"], UTC),
        size=row["info"]["size"],
        added=row["info"]["repository"]["delta"],
        complete=written is not None,
        timeline=int(row["archive"]["start"][:8], 16),
        record=record.parse(json.loads(written)) if written else None,
        files=files.parse(json.loads(notes[FILES])) if FILES in notes else None,
        repository=notes.get(REPOSITORY, ""),
        accepted=ACCEPTED in notes,
        lost_from=notes.get(LOST, ""),
    )


def take(kind: str, *, throttled: bool) -> Backup:
    """Take a backup of the running server, ``full`` or ``incr`` on the newest; nothing expires."""
    _pgbackrest(f"--type={kind}", "--no-expire-auto", "backup", throttled=throttled)
    return backups(info())[-1]


def annotate(label: str, notes: dict[str, str]) -> None:
    """Store notes with the backup, encrypted like the backup."""
    words = [f"--annotation={key}={value}" for key, value in notes.items()]
    _pgbackrest(f"--set={label}", *words, "annotate")


def expire() -> None:
    """Remove the backups that are older than the retention."""
    _pgbackrest("expire")


def prepare() -> None:
    """Create the repository; changes nothing when it is there."""
    _pgbackrest("stanza-create")


def restore(into: Path, label: str, target: list[str]) -> None:
    """Restore a backup into the empty folder ``into``; PostgreSQL replays the changes when it starts."""
    _pgbackrest(f"--set={label}", f"--pg1-path={into}", *target, "restore")

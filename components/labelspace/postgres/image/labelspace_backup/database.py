"""The database's backups, by pgBackRest."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .programs import YIELDING, FailedError, run

COMMAND = ("pgbackrest", "--stanza=main")
OTHER_FORMAT = re.compile(r"expected format (\d+) but found (\d+)")
WRONG_KEY = ("cipher header invalid", "unable to flush", "key/value found outside of section")
"""How pgBackRest calls what it read with a wrong key."""
RECORD = "labelspace-record"
"""Annotation with the row counts of a backup's restore point."""


@dataclass(frozen=True)
class Backup:
    """One backup: its label, kind (full, diff, incr), end (UTC), size and addition in bytes, its record."""

    label: str
    kind: str
    stop: datetime
    size: int
    added: int
    error: bool
    timeline: int
    """Each restore begins a new one."""
    record: dict[str, Any] | None


def _pgbackrest(*words: str, gently: bool = False) -> str:
    return run([*COMMAND, *words], niceness=YIELDING, gently=gently)


def info() -> dict[str, Any]:
    """What pgBackRest knows of the repository; raises ``FailedError`` when it cannot be read."""
    said = _pgbackrest("--output=json", "--log-level-console=off", "--log-level-stderr=error", "info")
    return next(iter(json.loads(said, strict=False)), {})


def trouble(known: dict[str, Any]) -> str:
    """Why the repository cannot be used; empty when it can."""
    status = known.get("status", {})
    repositories: list[dict[str, Any]] = known.get("repo", [])
    repository = repositories[0]["status"] if repositories else {}
    for one in (repository, status):
        if one.get("code") in (99, 4, 5):  # other, different stanza systems, mismatch
            return _in_words(str(one.get("message", "")))
    return ""


def _in_words(message: str) -> str:
    """pgBackRest's reason, or what it means where that is known."""
    other = OTHER_FORMAT.search(message)
    if other:
        return (
            f"they are of pgBackRest's format {other[2]}, this labelspace reads format {other[1]}:"
            " use the labelspace that wrote them, or a newer one"
        )
    if any(sign in message for sign in WRONG_KEY):
        return "the key does not open them"
    return message.partition("\n")[0]


def readable() -> dict[str, Any]:
    """As ``info``; raises ``FailedError`` also when the repository cannot be used."""
    known = info()
    why = trouble(known)
    if why:
        raise FailedError(f"the backups cannot be read: {why}")
    return known


def backups(known: dict[str, Any]) -> list[Backup]:
    """Every backup, oldest first."""
    return [_backup(row) for row in known.get("backup", [])]


def _backup(row: dict[str, Any]) -> Backup:
    record = (row.get("annotation") or {}).get(RECORD)
    return Backup(
        label=row["label"],
        kind=row["type"],
        stop=datetime.fromtimestamp(row["timestamp"]["stop"], UTC),
        size=row["info"]["size"],
        added=row["info"]["repository"]["delta"],
        error=bool(row.get("error")),
        timeline=int(row["archive"]["start"][:8], 16),
        record=json.loads(record) if record else None,
    )


def take(kind: str, *, gently: bool) -> Backup:
    """Take a backup of the running server; ``full``, or ``incr`` on the newest."""
    _pgbackrest(f"--type={kind}", "backup", gently=gently)
    return backups(info())[-1]


def annotate(label: str, record: dict[str, Any]) -> None:
    """Keep the record with the backup, encrypted as the rest."""
    _pgbackrest(f"--set={label}", f"--annotation={RECORD}={json.dumps(record)}", "annotate")


def prepare() -> None:
    """Make the repository usable; changes nothing when it is."""
    _pgbackrest("stanza-create")


def restore(into: Path, label: str, target: list[str]) -> None:
    """Put a backup and its changes into the empty folder ``into``; PostgreSQL replays them when it starts."""
    _pgbackrest(f"--set={label}", f"--pg1-path={into}", *target, "restore")

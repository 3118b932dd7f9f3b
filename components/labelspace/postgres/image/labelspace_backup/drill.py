"""A drill: a backup restored into a scratch database and compared with its record."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime

from . import files, record
from .drill_results import DrillResult
from .engine import Backup, Engine
from .programs import FailedError, Json, exclusive


def run(engine: Engine, label: str = "") -> DrillResult:
    """Prove a backup, by default the newest; the result is stored, also of a failure.

    The answer lists the applied migrations too, so that the caller can compare them with CVAT's.
    """
    with exclusive():
        begun = time.monotonic()
        result: DrillResult = {"backup": label, "when": _now(), "ok": False, "reason": ""}
        applied: list[str] = []
        try:
            backup = _select(engine, label)
            result["backup"] = backup.label
            found = _prove(engine, backup)
            applied = found.pop("applied")
            result |= {"ok": True, **found}
        except (FailedError, OSError, ValueError, KeyError) as error:
            result["reason"] = str(error)
        result["seconds"] = round(time.monotonic() - begun, 1)
        return {**_store(engine, result), "applied": applied}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _select(engine: Engine, label: str) -> Backup:
    found = [one for one in engine.backups() if label in ("", one.label)]
    if not found:
        raise FailedError(f"there is no backup {label}".rstrip() + " to prove")
    return found[-1]


def _prove(engine: Engine, backup: Backup) -> Json:
    with engine.restored(backup) as scratch:
        found, applied = record.take(scratch.ask), record.applied(scratch.ask)
        media = files.media(scratch.ask)
    compared = compare(engine.expected(backup), found, allows_empty=engine.allows_empty)
    return {**compared, **asdict(engine.check_files(backup, media)), "applied": applied}


def compare(expected: record.Record | None, found: record.Record, *, allows_empty: bool) -> Json:
    """The figures of a result; raises ``FailedError`` with the difference between record and database."""
    if not (found.rows or allows_empty):
        raise FailedError("no rows are in it")
    differs = record.differences(expected, found) if expected else ""
    if differs:
        raise FailedError(differs)
    return {"recorded": expected is not None, "tables": len(found.counts), "rows": found.rows}


def _store(engine: Engine, result: DrillResult) -> DrillResult:
    """A result that cannot be stored is a failure, and keeps its own reason."""
    try:
        engine.drill_results.write(result)
    except (FailedError, OSError) as error:
        reason = f"{result['reason']} (the result cannot be stored: {error})".strip()
        return {**result, "ok": False, "reason": reason}
    return result

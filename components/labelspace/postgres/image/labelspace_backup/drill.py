"""A drill: the backup restored into a scratch database, and compared with what its restore point held."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime
from typing import Any

from . import database, files, postgres, record
from .programs import FailedError, alone
from .settings import PLACE, SCRATCH, Settings

PROOFS = PLACE / "proofs"


def run(settings: Settings, label: str = "") -> dict[str, Any]:
    """Prove a backup, by default the newest; the proof is kept, also of a failure.

    The answer has the applied migrations too, for whoever knows which CVAT has.
    """
    with alone():
        begun = time.monotonic()
        proof: dict[str, Any] = {"backup": label, "when": _now(), "ok": False, "reason": ""}
        try:
            backup = _chosen(label)
            proof["backup"] = backup.label
            proof |= _proven(settings, backup)
            proof["ok"] = True
        except FailedError as error:
            proof["reason"] = str(error)
        finally:
            shutil.rmtree(SCRATCH, ignore_errors=True)
        proof["seconds"] = round(time.monotonic() - begun, 1)
        applied = proof.pop("applied", [])
        _keep(proof)
        return {**proof, "applied": applied}


def last() -> dict[str, Any] | None:
    """The newest proof."""
    found = sorted(PROOFS.glob("*.json"))
    return json.loads(found[-1].read_text()) if found else None


def all_proofs() -> dict[str, dict[str, Any]]:
    """The newest proof of each backup."""
    rows = [json.loads(path.read_text()) for path in sorted(PROOFS.glob("*.json"))]
    return {row["backup"]: row for row in rows}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _chosen(label: str) -> database.Backup:
    known = database.backups(database.info())
    found = [one for one in known if label in ("", one.label)]
    if not found:
        raise FailedError(f"there is no backup {label}".rstrip() + " to prove")
    if found[-1].record is None:
        raise FailedError(f"{found[-1].label} has no row counts: it was interrupted; take another backup")
    return found[-1]


def _proven(settings: Settings, backup: database.Backup) -> dict[str, Any]:
    expected = backup.record or {}
    postgres.make_empty(SCRATCH)
    database.restore(SCRATCH, backup.label, record.target(backup.label))
    with postgres.server(SCRATCH, settings, archive=False) as (socket, _):
        found = record.counts(settings, socket)
        digest = record.migrations(settings, socket)
        applied = record.applied(settings, socket)
    _compare(expected["counts"], found)
    if digest != expected["migrations"]:
        raise FailedError("the restored database has other migrations than the one that was backed up")
    if backup.label not in files.snapshots(settings):
        raise FailedError(f"CVAT's files of {backup.label} are missing")
    read = files.check(settings)
    return {"tables": len(found), "rows": sum(found.values()), "files_read": read, "applied": applied}


def _compare(expected: dict[str, int], found: dict[str, int]) -> None:
    differing = [
        f"{name}: {found.get(name, 'missing')} instead of {expected.get(name, 'none')}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]
    if differing:
        raise FailedError(f"rows differ: {'; '.join(differing[:5])}")


def _keep(proof: dict[str, Any]) -> None:
    """A place that cannot be written is said with the proof, not instead of it."""
    try:
        PROOFS.mkdir(exist_ok=True)
        part = PROOFS / ".part"
        part.write_text(json.dumps(proof))
        part.rename(PROOFS / f"{proof['when'].replace(':', '')}.json")
    except OSError as error:
        proof["ok"] = False
        proof["reason"] = f"{proof['reason']} (the proof cannot be kept: {error})".strip()

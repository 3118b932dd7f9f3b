"""A drill: a dump restored into a scratch PostgreSQL without a network, and compared with its record."""

from __future__ import annotations

import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from . import record, scratch
from .dump import digest
from .programs import WORK, FailedError, fetch, lines, names, put

AGAIN_AFTER = timedelta(days=1)
"""After a drill that failed the next comes sooner: there are other dumps by then."""


def when_due(known: dict[str, str]) -> dict[str, Any] | None:
    """Drill the newest dump when the schedule says so. Returns the newest proof there is then."""
    proof = newest(lines(known, "proofs"))
    if not due(proof, timedelta(days=int(known["DRILL_EVERY_DAYS"])), datetime.now(UTC)):
        return proof
    dumps = [name for name in names(known, "dumps") if name.endswith(".dump")]
    return prove(known, dumps[-1].removesuffix(".dump")) if dumps else proof


def newest(written: list[str]) -> dict[str, Any] | None:
    """The proof that was made last; what is none is passed over."""
    return max((proof for line in written for proof in _read(line)), key=_when, default=None)


def _read(line: str) -> list[dict[str, Any]]:
    try:
        proof = json.loads(line)
        return [proof] if isinstance(proof["ok"], bool) and _when(proof) else []
    except (ValueError, KeyError, TypeError):
        return []


def _when(proof: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(proof["when"])


def due(proof: dict[str, Any] | None, every: timedelta, now: datetime) -> bool:
    """The first at once: nothing was proven yet. ``every`` zero: never by itself."""
    if not every or proof is None:
        return bool(every)
    pause = every if proof["ok"] else min(every, AGAIN_AFTER)
    return now - _when(proof) >= pause


def prove(known: dict[str, str], label: str) -> dict[str, Any]:
    """Prove a dump; the proof is kept in the backup bucket, also of a failure."""
    begun = time.monotonic()
    proof: dict[str, Any] = {"backup": label, "when": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S+00:00}"}
    try:
        proof |= {"ok": True, "reason": "", **_proven(known, label)}
    except (FailedError, OSError, ValueError, KeyError) as error:
        proof |= {"ok": False, "reason": str(error)}
    proof["seconds"] = round(time.monotonic() - begun, 1)
    return _kept(known, proof)


def _proven(known: dict[str, str], label: str) -> dict[str, Any]:
    with scratch.database(known["POSTGRES_IMAGE"]) as inside:
        expected = restored(known, label, inside)
        return judged(expected, record.take(scratch.ask(inside)))


def restored(known: dict[str, str], label: str, inside: scratch.Inside) -> dict[str, Any] | None:
    """Restore a dump into a scratch database; returns its record, or None for a dump without one."""
    with tempfile.TemporaryDirectory(prefix="drill.", dir=WORK) as folder:
        dump = Path(folder, "dump")
        fetch(known, f"dumps/{label}.dump", dump)
        expected = _recorded(known, label, Path(folder, "record"))
        if expected and digest(dump) != expected["sha256"]:
            raise FailedError("the dump is damaged: it is not the file that was written")
        scratch.restore(inside, dump)
    return expected


def judged(expected: dict[str, Any] | None, found: dict[str, Any]) -> dict[str, Any]:
    """What the proof says; raises ``FailedError`` with what is not as it must be."""
    counts = found["counts"]
    if not sum(counts.values()):
        raise FailedError("no rows are in it")
    differs = record.differences(expected, found) if expected else ""
    if differs:
        raise FailedError(differs)
    return {"recorded": expected is not None, "tables": len(counts), "rows": sum(counts.values())}


def _recorded(known: dict[str, str], label: str, into: Path) -> dict[str, Any] | None:
    """None for a dump from before there were records; one that cannot be read proves nothing."""
    if f"{label}.json" not in names(known, "dumps"):
        return None
    fetch(known, f"dumps/{label}.json", into)
    try:
        read: dict[str, Any] = json.loads(into.read_text())
        return {key: read[key] for key in ("sha256", "counts", "migrations")}
    except (ValueError, KeyError, TypeError):
        raise FailedError("its record is damaged: nothing can be compared with it") from None


def _kept(known: dict[str, str], proof: dict[str, Any]) -> dict[str, Any]:
    """A proof that cannot be written is said with it, not instead of it."""
    try:
        with tempfile.TemporaryDirectory(prefix="proof.", dir=WORK) as folder:
            file = Path(folder, "proof")
            file.write_text(json.dumps(proof) + "\n")
            put(known, file, f"proofs/{proof['backup']}.json")
    except (FailedError, OSError) as error:
        reason = f"{proof['reason']} (the proof cannot be kept: {error})".strip()
        return {**proof, "ok": False, "reason": reason}
    return proof

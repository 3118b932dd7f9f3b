"""Backups as they are listed, and their proofs, in words."""

from __future__ import annotations

from typing import Any

DATABASE_ALONE = "database alone"
"""Of copies on Scaleway: CVAT's files lie on a volume of their own."""
NOTHING_RECORDED = "no record to compare with"
"""Of a dump from before there were records."""


def verification(row: dict[str, Any]) -> str:
    """What is known of a backup, ``row`` as the program lists it: whole, and proven by a drill or not."""
    if not row["complete"]:
        return "interrupted"
    if row["kind"] == "snapshot":
        return DATABASE_ALONE
    if row["kind"] == "dump" and not row["files"]:
        return f"{DATABASE_ALONE}, {_proof(row['proof'])}"
    if row["files"] is None:
        return "seen in the bucket, not looked into"
    if not row["files"]:
        return "files missing"
    return f"{_proof(row['proof'])}, far fewer files" if row.get("shrunk") else _proof(row["proof"])


def _proof(proof: dict[str, Any] | None) -> str:
    if proof is None:
        return "not proven yet"
    if not proof["ok"]:
        return f"FAILED: {proof['reason']}"
    if not proof.get("recorded", True):
        return f"restored {proof['when']}, {NOTHING_RECORDED}"
    return f"proven {proof['when']}"


def restorable_from(rows: list[dict[str, Any]]) -> str | None:
    """The oldest moment of a list, oldest first, that can be restored; None: none yet."""
    return next((str(row["when"]) for row in rows if row["complete"]), None)


def proof_summary(proof: dict[str, Any]) -> str:
    """What a drill that went well has found."""
    recorded = proof.get("recorded", True)
    verb, compared = ("proven", " as recorded") if recorded else ("restored", f", {NOTHING_RECORDED}")
    parts = [f"{proof['rows']} rows in {proof['tables']} tables{compared}"]
    parts += [_migrations(proof["missing"])] if "missing" in proof else []
    parts += [_files(proof)] if proof.get("files_read") else []
    return f"{proof['backup']} {verb}: {', '.join(parts)}, {proof['seconds']} s"


def _files(proof: dict[str, Any]) -> str:
    counted = "files_count" in proof
    begins = f"{proof['files_count']} files of CVAT as recorded, " if counted else "CVAT's files "
    return f"{begins}read ({proof['files_read']})"


def _migrations(missing: list[str]) -> str:
    """Missing ones are those of an upgrade since: a restore migrates."""
    return f"{len(missing)} migrations older than its CVAT" if missing else "migrations complete"

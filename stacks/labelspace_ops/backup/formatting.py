"""Backups and their proofs as text."""

from __future__ import annotations

from labelspace_ops.backup.models import BackupRow, Proof

DATABASE_ALONE = "database alone"
"""Of backups on Scaleway: CVAT's files are on a volume of their own."""
NOTHING_RECORDED = "no record to compare with"
"""Of a dump from before there were records."""


def verification(row: BackupRow) -> str:
    """Return whether a backup is complete, and what its last drill found."""
    if not row.complete:
        return "interrupted"
    if row.kind == "snapshot":
        return DATABASE_ALONE
    if row.is_dump and not row.files:
        return f"{DATABASE_ALONE}, {_proof(row.proof)}"
    if row.files is None:
        return "seen in the bucket, not looked into"
    if not row.files:
        return "files missing"
    return f"{_proof(row.proof)}, far fewer files" if row.shrunk else _proof(row.proof)


def _proof(proof: Proof | None) -> str:
    if proof is None:
        return "not proven yet"
    if not proof.ok:
        return f"FAILED: {proof.reason}"
    if proof.recorded is False:
        return f"restored {proof.when}, {NOTHING_RECORDED}"
    return f"proven {proof.when}"


def restorable_from(rows: list[BackupRow]) -> str | None:
    """Return the oldest moment that can be restored; None when there is none yet."""
    return next((row.when for row in rows if row.complete), None)


def proof_summary(proof: Proof) -> str:
    """Return what a drill that went well has found."""
    recorded = proof.recorded is not False
    verb, compared = ("proven", " as recorded") if recorded else ("restored", f", {NOTHING_RECORDED}")
    parts = [f"{proof.rows} rows in {proof.tables} tables{compared}"]
    parts += [] if proof.missing is None else [_migrations(proof.missing)]
    parts += [_files(proof)] if proof.files_read else []
    return f"{proof.backup} {verb}: {', '.join(parts)}, {proof.seconds} s"


def _files(proof: Proof) -> str:
    counted = "" if proof.files_count is None else f"{proof.files_count} files as recorded, "
    return f"{counted}CVAT's files read ({proof.files_read})"


def _migrations(missing: list[str]) -> str:
    """Missing ones are those of an upgrade since the backup: a restore applies them."""
    return f"{len(missing)} migrations older than its CVAT" if missing else "migrations complete"

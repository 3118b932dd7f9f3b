"""One backup of the list, in words."""

from __future__ import annotations

from typing import Any

DATABASE_ALONE = "database alone"
"""Of copies on Scaleway: CVAT's files lie on a volume of their own."""


def verified(row: dict[str, Any]) -> str:
    """What is known of a backup, ``row`` as the program lists it: whole, and proven by a drill or not."""
    if not row["complete"]:
        return "interrupted"
    if row["kind"] == "snapshot":
        return DATABASE_ALONE
    if row["kind"] == "dump":
        return f"{DATABASE_ALONE}, {_proof(row['proof'])}"
    if row["files"] is None:
        return "seen in the bucket, not looked into"
    return _proof(row["proof"]) if row["files"] else "files missing"


def _proof(proof: dict[str, Any] | None) -> str:
    if proof is None:
        return "not proven yet"
    if not proof["ok"]:
        return f"FAILED: {proof['reason']}"
    if not proof.get("recorded", True):
        return f"restored {proof['when']}, no record to compare with"
    return f"proven {proof['when']}"

"""One backup of the list, in words."""

from __future__ import annotations

from typing import Any

OF_THE_DATABASE = ("snapshot", "dump")
"""Copies on Scaleway: CVAT's files lie on a volume of their own."""


def verified(row: dict[str, Any]) -> str:
    """What is known of a backup, ``row`` as the program lists it: whole, and proven by a drill or not."""
    if not row["complete"]:
        return "interrupted"
    if row["kind"] in OF_THE_DATABASE:
        return "database alone"
    if row["files"] is None:
        return "seen in the bucket, not looked into"
    if not row["files"]:
        return "files missing"
    proof = row["proof"]
    if proof is None:
        return "not proven yet"
    return f"proven {proof['when']}" if proof["ok"] else f"FAILED: {proof['reason']}"

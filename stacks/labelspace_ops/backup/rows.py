"""One backup of the list, in words."""

from __future__ import annotations

from typing import Any


def verified(row: dict[str, Any]) -> str:
    """What is known of a backup, ``row`` as the program lists it: whole, and proven by a drill or not."""
    if not row["complete"]:
        return "interrupted"
    if not row["files"]:
        return "files missing"
    proof = row["proof"]
    if proof is None:
        return "not proven yet"
    return f"proven {proof['when']}" if proof["ok"] else f"FAILED: {proof['reason']}"

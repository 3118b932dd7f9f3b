"""Checks of a Scaleway account for ``labelspace doctor``."""

from __future__ import annotations

from labelspace_ops.core.checks import Check


def check(name: str, detail: str, *, ok: bool) -> Check:
    """Return a check whose name starts with ``Scaleway``."""
    return Check(name=f"Scaleway {name}", ok=ok, detail=detail)

"""A check of the account, as ``labelspace doctor`` shows it."""

from __future__ import annotations

from labelspace_ops.core.checks import Check


def check(name: str, detail: str, *, ok: bool) -> Check:
    """Whose name says that it is Scaleway's."""
    return {"name": f"Scaleway {name}", "ok": ok, "detail": detail}

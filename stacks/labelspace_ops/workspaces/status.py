"""What a workspace is right now: measured when asked, never stored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import state
from labelspace_ops.targets import registry


def get(name: str, home: Home) -> dict[str, Any]:
    """The status object of a workspace, whatever its target."""
    return registry.for_workspace(name, home).status(name, state.resources(name, home), home)


def get_all(home: Home) -> list[dict[str, Any]]:
    """The status of every workspace, by name; one that cannot be read is ``unreadable`` and says why."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda name: _get_or_unreadable(name, home), state.names(home)))


def _get_or_unreadable(name: str, home: Home) -> dict[str, Any]:
    try:
        return get(name, home)
    except (OpsError, ValueError) as error:
        detail = f"the state of {name} cannot be read: {error}"
        check = {"name": "state", "ok": False, "detail": detail}
        return {"name": name, "target": "", "status": "unreadable", "url": "", "checks": [check]}

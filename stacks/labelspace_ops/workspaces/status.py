"""The status of workspaces: measured at each call, never stored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from labelspace.home import Home
from labelspace_ops.core.checks import failed
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import state
from labelspace_ops.targets import registry
from labelspace_ops.targets.status import Status


def get(name: str, home: Home) -> Status:
    """Measure a workspace on any target."""
    return registry.for_workspace(name, home).status(name, state.resources(name, home), home)


def get_all(home: Home) -> list[Status]:
    """Measure every workspace; the status is ``unreadable`` where the state cannot be read."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda name: _get_or_unreadable(name, home), state.names(home)))


def _get_or_unreadable(name: str, home: Home) -> Status:
    try:
        return get(name, home)
    except (OpsError, ValueError) as error:
        detail = f"the state of {name} cannot be read: {error}"
        return Status.unmeasured(name, "unreadable", failed("state", detail))

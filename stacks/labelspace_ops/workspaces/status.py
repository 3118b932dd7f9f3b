"""The status of workspaces: measured at each call, never stored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from labelspace.home import Home
from labelspace_ops.core.checks import failed
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import state
from labelspace_ops.stack.state import NoSuchWorkspaceError, UnreadableStateError
from labelspace_ops.targets import registry
from labelspace_ops.targets.status import Status

AT_A_TIME = 16
"""Workspaces that are measured side by side; each ends in about ten seconds, whatever hangs."""


def get(name: str, home: Home) -> Status:
    """Measure a workspace on any target."""
    return registry.for_workspace(name, home).status(name, state.resources(name, home), home)


def get_all(home: Home) -> list[Status]:
    """Measure every workspace; the status is ``unreadable`` where the state cannot be read."""
    names = state.names(home)
    with ThreadPoolExecutor(max(1, min(len(names), AT_A_TIME))) as pool:
        return [row for row in pool.map(lambda name: _get_unless_deleted(name, home), names) if row]


def _get_unless_deleted(name: str, home: Home) -> Status | None:
    with suppress(NoSuchWorkspaceError):
        return get_or_unreadable(name, home)
    return None


def get_or_unreadable(name: str, home: Home) -> Status:
    """Measure a workspace; raises ``NoSuchWorkspaceError`` when it was deleted meanwhile."""
    try:
        return get(name, home)
    except NoSuchWorkspaceError:
        raise
    except UnreadableStateError as error:
        return Status.unmeasured(name, "unreadable", failed("state", str(error)))
    except (OpsError, ValueError) as error:
        detail = f"the state of {name} cannot be read: {error}"
        return Status.unmeasured(name, "unreadable", failed("state", detail))

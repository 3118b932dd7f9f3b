"""The status of workspaces: measured at each call, never stored."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from labelspace.home import Home
from labelspace_ops.core.checks import failed
from labelspace_ops.core.deadlines import WORK_SECONDS, NoAnswerError, Pending
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import backend, state
from labelspace_ops.stack.state import NoSuchWorkspaceError, UnreadableStateError
from labelspace_ops.targets import registry
from labelspace_ops.targets.status import Status

T = TypeVar("T")
AT_A_TIME = 16
"""Workspaces that are measured side by side; each ends in about ten seconds, whatever hangs."""


def get(name: str, home: Home) -> Status:
    """Measure a workspace on any target; raises ``NoAnswerError`` when the place of the state hangs."""
    resources = _read(lambda: state.resources(name, home), home)
    target = state.stack_outputs(resources).get("target")
    known = registry.get(str(target)) if target else registry.for_workspace(name, home)
    return known.status(name, resources, home)


def _read(work: Callable[[], T], home: Home) -> T:
    """Read the state; a bucket gets a deadline."""
    if backend.state_folder(home):
        return work()
    try:
        return Pending(work, WORK_SECONDS).result()
    except NoAnswerError as error:
        raise NoAnswerError(
            f"the state in {backend.current_url(home)}: {error}: check the bucket and the network"
        ) from None


def get_all(home: Home) -> list[Status]:
    """Measure every workspace; the status is ``unreadable`` where the state cannot be read."""
    names = _read(lambda: state.names(home), home)
    with ThreadPoolExecutor(max(1, min(len(names), AT_A_TIME))) as pool:
        return [row for row in pool.map(lambda name: _get_unless_deleted(name, home), names) if row]


def _get_unless_deleted(name: str, home: Home) -> Status | None:
    try:
        return get_or_unreadable(name, home)
    except NoSuchWorkspaceError:
        return None
    except (OpsError, ValueError) as error:
        detail = f"the state of {name} cannot be read: {error}"
        return Status.unmeasured(name, "unreadable", failed("state", detail))


def get_or_unreadable(name: str, home: Home) -> Status:
    """As ``get``; the status of a workspace with a damaged state is ``unreadable``."""
    try:
        return get(name, home)
    except UnreadableStateError as error:
        return Status.unmeasured(name, "unreadable", failed("state", str(error)))

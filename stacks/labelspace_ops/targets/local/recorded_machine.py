"""Compare the machine that a workspace's stack recorded with this one, before a command changes anything."""

from __future__ import annotations

from labelspace.home import Home
from labelspace.targets.local.machine import Facts, difference, is_recorded_again
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import state

STASH = "pulumi:index:Stash"


def require_same(workspace: str, home: Home) -> None:
    """Raise ``OpsError`` with the next step when the workspace was made from another home or engine."""
    if is_recorded_again(workspace):
        return
    for recorded in _recorded(state.resources(workspace, home)):
        if problem := difference(workspace, recorded, Facts.here()):
            raise OpsError(problem)


def _recorded(resources: list[state.Resource]) -> list[Facts]:
    values = [one.outputs.get("output") for one in resources if one.type == STASH]
    return [Facts(**one) for one in values if isinstance(one, dict) and "home_id" in one]

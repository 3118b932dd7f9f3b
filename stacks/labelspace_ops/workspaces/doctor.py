"""Checks whether this machine, or a cloud account, can run a workspace."""

from __future__ import annotations

from labelspace.home import Home
from labelspace_ops.core.checks import Check, run_check
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import backend, state
from labelspace_ops.targets import registry


def examine(home: Home, target: str = registry.DEFAULT) -> list[Check]:
    """Check Pulumi and the state, then run the target's own checks; a failed check names the next step."""
    checks = registry.get(target).doctor
    return [
        run_check("Pulumi", lambda: f"version {stack.command_line(home).version}"),
        run_check("state", lambda: _state(home)),
        *checks(home),
    ]


def _state(home: Home) -> str:
    return f"{len(state.names(home))} workspaces, state in {backend.current_url(home)}"

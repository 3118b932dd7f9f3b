"""Checks whether this machine, or a cloud account, can run a workspace."""

from __future__ import annotations

from importlib.metadata import version

from labelspace.home import Home
from labelspace_ops.core.checks import Check, run_check
from labelspace_ops.stack import backend, plugins, project, pulumi_cli, state
from labelspace_ops.targets import registry


def examine(home: Home, target: str = registry.DEFAULT) -> list[Check]:
    """Check Pulumi and the state, then run the target's own checks; a failed check names the next step."""
    chosen = registry.get(target)
    return [
        run_check("Pulumi", lambda: _pulumi(home)),
        run_check("plugins", lambda: plugins.describe(chosen.plugins, home)),
        run_check("project", lambda: str(project.find(home).folder)),
        run_check("state", lambda: _state(home)),
        *chosen.doctor(home),
    ]


def _pulumi(home: Home) -> str:
    found, locked = pulumi_cli.program_version(pulumi_cli.pulumi_binary(home)), version("pulumi")
    return f"version {found}" + (f"; labelspace is tested with {locked}" if found != locked else "")


def _state(home: Home) -> str:
    return f"{len(state.names(home))} workspaces, state in {backend.current_url(home)}"

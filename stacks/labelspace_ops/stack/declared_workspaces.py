"""Find the workspaces that a program's stack declares, in its state."""

from __future__ import annotations

import json
from typing import Any

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.stack import declared, pulumi_cli, state
from labelspace_ops.stack.declared import DeclaredStack

WORKSPACE = "labelspace:index:Workspace"

Exported = dict[str, Any]


def select(reference: str, name: str, home: Home) -> str:
    """Work on the stack ``reference`` from now on; return the workspace: ``name``, else the only one.

    Raises ``UsageError`` when it has no such workspace, and what ``use`` raises.
    """
    found = use(reference, home)
    listed = ", ".join(found)
    if name and name not in found:
        raise UsageError(f"name: {name!r} is no workspace of stack {reference}; there are: {listed}")
    if not name and len(found) > 1:
        raise UsageError(f"name: stack {reference} declares several workspaces: give one of {listed}")
    return name or found[0]


def use(reference: str, home: Home) -> list[str]:
    """Work on the stack ``reference`` from now on; return the names of its workspaces.

    Raises ``OpsError`` when Pulumi cannot read the stack, ``UsageError`` when it has no complete workspace.
    """
    folder = declared.project_folder()
    declared.use(DeclaredStack(reference, folder))
    found = workspaces(_resources(reference, home))
    if not found:
        raise UsageError(
            f"stack: {reference} declares no workspace that was made completely: run `pulumi up` in its"
            " project, or give another stack"
        )
    declared.use(DeclaredStack(reference, folder, found))
    return sorted(found)


def _resources(reference: str, home: Home) -> list[Exported]:
    try:
        exported = pulumi_cli.query(home, "stack", "export", "--show-secrets", "--stack", reference)
    except OpsError as error:
        raise OpsError(
            f"stack: {reference} cannot be read ({error}): run the command in the folder of its project, with"
            " the variables that `pulumi stack export` needs there"
        ) from None
    return list((exported.get("deployment") or {}).get("resources") or [])


def workspaces(resources: list[Exported]) -> dict[str, list[Exported]]:
    """Each complete workspace with the resources below its component, by its name on the engine."""
    found = {}
    for one in resources:
        settings = state.unwrap_secrets(one.get("outputs", {})).get("settings")
        if one["type"] == WORKSPACE and settings:
            found[str(json.loads(settings)["name"])] = [one, *_below(one["urn"], resources)]
    return found


def _below(urn: str, resources: list[Exported]) -> list[Exported]:
    children = [one for one in resources if one.get("parent") == urn]
    return [found for child in children for found in (child, *_below(child["urn"], resources))]

"""The stack of somebody's own Pulumi program whose workspace this process operates (``--stack``).

Its backend, its passphrase or secrets provider and its settings are those of that program's project:
Pulumi is called in its folder, with the user's own variables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILES = ("Pulumi.yaml", "Pulumi.yml")


@dataclass(frozen=True)
class DeclaredStack:
    """A stack, and the workspaces that its program declares."""

    reference: str
    """``[org/project/]stack``, as the user gave it."""
    folder: Path
    """The folder of the program's project, or the current folder when there is none."""
    workspaces: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The exported resources of each workspace by its name on the engine; its component is the first."""


_current: list[DeclaredStack] = []


def current() -> DeclaredStack | None:
    """The stack that ``--stack`` named; None for workspaces that labelspace made."""
    return _current[0] if _current else None


def use(stack: DeclaredStack | None) -> None:
    """Work on ``stack`` from now on; None: on labelspace's own workspaces."""
    _current[:] = [stack] if stack else []


def project_folder() -> Path:
    """The nearest folder with a ``Pulumi.yaml``, from the current one upward; else the current one."""
    here = Path.cwd()
    return next((one for one in (here, *here.parents) if any((one / name).is_file() for name in FILES)), here)


def repair_command(workspace: str) -> str:
    """The command that makes a workspace's containers as they were declared."""
    return "pulumi up --refresh" if current() else f"labelspace create {workspace}"

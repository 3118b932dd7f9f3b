"""Whether this machine can run a workspace, check by check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace.spec import Target
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.runtime import docker_engine
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import state
from labelspace_ops.targets.local import preflight
from labelspace_ops.targets.scaleway.doctor import examine as examine_account


def examine(home: Home, target: str = "local") -> list[dict[str, Any]]:
    """Every check with its outcome; one that fails says the next step."""
    if target not in get_args(Target):
        raise UsageError(f"target: {target!r} is refused: choose one of {', '.join(get_args(Target))}")
    if target == "scaleway":
        own = [_one(name, check, home) for name, check in {"Pulumi": _pulumi, "state": _state}.items()]
        return [*own, *examine_account(home)]
    checks: dict[str, Callable[[Home], str]] = {
        "Pulumi": _pulumi,
        "Docker engine": _engine,
        "disk": _disk,
        "images": _images,
        "state": _state,
    }
    return [_one(name, check, home) for name, check in checks.items()]


def _one(name: str, check: Callable[[Home], str], home: Home) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": check(home)}
    except OpsError as error:
        return {"name": name, "ok": False, "detail": str(error)}


def _pulumi(home: Home) -> str:
    return f"version {stack.command_line(home).version}"


def _engine(_: Home) -> str:
    return f"version {docker_engine.connect().version()['Version']}"


def _disk(home: Home) -> str:
    preflight.disk_has_room(docker_engine.connect(), home)
    return "room enough"


def _images(_: Home) -> str:
    """Missing images are pulled by the first `create`."""
    client = docker_engine.connect()
    present = {tag for image in client.images.list() for tag in image.tags}
    missing = [name for name in IMAGES.values() if name not in present]
    return f"will be pulled: {', '.join(missing)}" if missing else "all present"


def _state(home: Home) -> str:
    return f"{len(state.names(home))} workspaces, state in {state.environment(home)['PULUMI_BACKEND_URL']}"

"""Checks whether this machine can run a workspace."""

from __future__ import annotations

from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace_ops.core.checks import Check, run_check
from labelspace_ops.runtime import docker_engine, images
from labelspace_ops.runtime.engine_info import EngineInfo
from labelspace_ops.targets.local import architecture, preflight


def examine(home: Home) -> list[Check]:
    """Check the Docker engine, the free disk space and the images."""
    return [
        run_check("Docker engine", lambda: str(_engine())),
        run_check("disk", lambda: _disk(home)),
        run_check("images", _images),
        run_check("architecture", _architecture),
    ]


def _engine() -> EngineInfo:
    """Ask the engine what it is; raises ``OpsError`` for one that cannot run a workspace."""
    client = docker_engine.connect()
    docker_engine.check_version(client)
    info = docker_engine.engine_info(client)
    preflight.check_engine(info)
    return info


def _disk(home: Home) -> str:
    preflight.check_disk(docker_engine.data_folders(docker_engine.connect()), home)
    return "enough free space"


def _images() -> str:
    """Name the images that the first `create` will pull."""
    missing = images.missing(docker_engine.connect(), IMAGES.values())
    return f"will be pulled: {', '.join(missing)}" if missing else "all present"


def _architecture() -> str:
    """Name the engine's architecture, and the images that it must emulate."""
    client = docker_engine.connect()
    return architecture.require(client, IMAGES.values()) or f"{client.version()['Arch']}: nothing is emulated"

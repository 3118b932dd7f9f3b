"""Checks whether this machine can run a workspace."""

from __future__ import annotations

from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace_ops.core.checks import Check, run_check
from labelspace_ops.runtime import docker_engine
from labelspace_ops.runtime.engine_info import EngineInfo
from labelspace_ops.targets.local import preflight


def examine(home: Home) -> list[Check]:
    """Check the Docker engine, the free disk space and the images."""
    return [
        run_check("Docker engine", lambda: str(_engine())),
        run_check("disk", lambda: _disk(home)),
        run_check("images", _images),
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
    tags = (tag for image in docker_engine.connect().images.list() for tag in image.tags)
    present = {tag.removeprefix("docker.io/").removeprefix("library/") for tag in tags}  # Podman's names
    missing = [name for name in IMAGES.values() if name not in present]
    return f"will be pulled: {', '.join(missing)}" if missing else "all present"

"""Which images a workspace's containers were created from."""

from __future__ import annotations

from docker.errors import DockerException
from docker.models.images import Image

from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime import docker_engine


def digests(workspace: str) -> dict[str, str]:
    """Return the digest of each image that the workspace's containers were created from, by its name.

    ``sha256:...`` as the registry knows it; an image that was built here has its ID. Empty without an engine.
    """
    try:
        containers = docker_engine.containers(docker_engine.connect(), workspace).values()
        return {str(one.attrs["Config"]["Image"]): _digest(one.image) for one in containers}
    except (OpsError, DockerException):
        return {}


def _digest(image: Image | None) -> str:
    if image is None:
        return ""
    return str([*(image.attrs.get("RepoDigests") or []), image.id][0]).rpartition("@")[2]

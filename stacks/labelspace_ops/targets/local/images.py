"""The images of a workspace on this machine: which are needed, pulled before the update."""

from __future__ import annotations

import docker

from labelspace.cvat.images import IMAGES
from labelspace.postgres import pgbackrest
from labelspace.spec import LocalSpec
from labelspace.targets.local.image_names import image_names
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import message
from labelspace_ops.runtime import images
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.targets.local import architecture


def required(client: docker.DockerClient, spec: LocalSpec) -> list[str]:
    """Return the images that the workspace needs from registries; the database's is built on PostgreSQL's."""
    is_built = images.is_present(client, pgbackrest.image_name())
    return [*image_names(spec), *(() if is_built else (IMAGES["postgres"],))]


def pull(client: docker.DockerClient, spec: LocalSpec) -> None:
    """Pull what the engine lacks; raises ``OpsError`` for the first reason that it cannot be had or run."""
    names = required(client, spec)
    if warning := architecture.require(client, names):
        message(warning)
    images.ensure(client, names)


def notes(spec: LocalSpec) -> list[str]:
    """Return what a reviewer must know of the images; nothing when no engine answers."""
    try:
        runtime = DockerRuntime.here(spec.name)
    except OpsError:
        return []
    absent = images.missing(runtime.client, required(runtime.client, spec)) if spec.running else []
    pulled = [f"pulled before the update: {', '.join(absent)}"] if absent else []
    return [*pulled, *changed(runtime)]


def changed(runtime: DockerRuntime) -> list[str]:
    """Return one sentence for each image that is another one now than when its containers were created."""
    parts: dict[str, list[str]] = {}
    for part, container in runtime.containers().items():
        image, old = container.attrs["Config"]["Image"], container.attrs["Image"]
        new = images.image_id(runtime.client, image)
        if new not in ("", old):
            parts.setdefault(f"image {image}: {_short(old)} -> {_short(new)}", []).append(part)
    name = runtime.workspace
    restart = f"`labelspace stop {name}`, then `labelspace start {name}` use the new one"
    return [f"{change}: {', '.join(sorted(of))} run the old one: {restart}" for change, of in parts.items()]


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12]

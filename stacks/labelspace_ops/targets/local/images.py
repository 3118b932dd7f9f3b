"""The images of a workspace on this machine: which are needed, pulled before the update."""

from __future__ import annotations

from collections.abc import Mapping

import docker

from labelspace.cvat.images import IMAGES
from labelspace.postgres import pgbackrest
from labelspace.spec import LocalSpec
from labelspace.targets.local.image_names import image_names
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import message
from labelspace_ops.runtime import docker_engine, images
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


def notes(spec: LocalSpec, deployed: Mapping[str, str]) -> list[str]:
    """Return what a reviewer must know of the images; nothing when no engine answers.

    ``deployed``: digests by name, as the last update left them in the stack's outputs.
    """
    try:
        client = docker_engine.connect()
    except OpsError:
        return []
    absent = images.missing(client, required(client, spec)) if spec.running else []
    pulled = [f"pulled before the update: {', '.join(absent)}"] if absent else []
    return [*pulled, *changed_digests(deployed, images.digests(client, deployed))]


def changed_digests(deployed: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    """Return one sentence for each image that is another one than at the last update."""
    return [
        f"image {name}: {_short(digest)} -> {_short(present[name])}: containers that run it are replaced"
        for name, digest in deployed.items()
        if name in present and present[name] != digest
    ]


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12]

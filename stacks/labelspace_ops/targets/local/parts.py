"""The containers of a workspace that run for ever, as its stack declares them and as the engine has them."""

from __future__ import annotations

from docker.models.containers import Container

from labelspace.naming import PART_LABEL
from labelspace_ops.stack.state import Resource

ONE_SHOT = ("", "no")
"""The restart policies of containers that end: ``container_spec.Service.restart``, and Docker's default."""


def expected(resources: list[Resource]) -> list[str]:
    """Return the parts whose containers the stack declares to run for ever, in the order of their creation.

    ``resources``: the result of ``state.resources``.
    """
    declared = [one.outputs for one in resources if one.type.endswith(":Container") and not one.is_to_delete]
    labels = [one["labels"] for one in declared if one.get("restart", "") not in ONE_SHOT]
    return [row["value"] for rows in labels for row in rows if row["label"] == PART_LABEL]


def running(containers: dict[str, Container]) -> list[str]:
    """Return the parts that run for ever and run now. ``containers``: by part."""
    return [
        part
        for part, container in containers.items()
        if container.status == "running" and _restart_policy(container) not in ONE_SHOT
    ]


def _restart_policy(container: Container) -> str:
    return str(container.attrs["HostConfig"]["RestartPolicy"]["Name"])

"""Drift: containers that were changed by hand since the last update of the stack."""

from __future__ import annotations

from typing import Any

from docker.models.containers import Container

from labelspace.naming import PART_LABEL
from labelspace_ops.stack.state import Properties, Resource

MEBIBYTE = 2**20


def find_drift(resources: list[Resource], containers: dict[str, Container]) -> list[str]:
    """Return one sentence for each difference between the stack and the engine's containers.

    ``resources``: the result of ``state.resources``. ``containers``: by part. Only settings that
    an engine can change on an existing container are compared.
    """
    long_lived = [one.outputs for one in resources if _is_long_lived(one)]
    return [sentence for declared in long_lived for sentence in _differences(declared, containers)]


def _is_long_lived(resource: Resource) -> bool:
    return resource.type.endswith(":Container") and bool(resource.outputs.get("mustRun"))


def _differences(declared: Properties, containers: dict[str, Container]) -> list[str]:
    part = next(one["value"] for one in declared["labels"] if one["label"] == PART_LABEL)
    running = containers.get(part)
    if running is None:
        return [f"{part} was removed"]
    if running.id != declared["id"]:
        return [f"{part} was replaced by another container"]
    actual = _mutable_settings(running)
    expected = {
        "memory limit (MiB)": declared["memory"],
        "restart policy": declared["restart"],
        "networks": sorted(one["name"] for one in declared["networksAdvanced"]) or [declared["networkMode"]],
    }
    return [
        f"{part}: {what} is {actual[what]}, was {expected[what]}"
        for what in expected
        if actual[what] != expected[what]
    ]


def _mutable_settings(one: Container) -> dict[str, Any]:
    host = one.attrs["HostConfig"]
    return {
        "memory limit (MiB)": host["Memory"] // MEBIBYTE,
        "restart policy": host["RestartPolicy"]["Name"],
        "networks": sorted(one.attrs["NetworkSettings"]["Networks"]),
    }

"""What someone changed by hand: the containers that run against those that the stack knows."""

from __future__ import annotations

from typing import Any

from docker.models.containers import Container

from labelspace.naming import PART_LABEL

MEBIBYTE = 2**20


def find_drift(resources: list[dict[str, Any]], mine: dict[str, Container]) -> list[str]:
    """One sentence for each difference; of a container that exists, an engine lets no more be changed.

    ``resources``: as ``state.resources`` gives them.
    """
    declared = [one["outputs"] for one in resources if _is_long_lived(one)]
    return [sentence for known in declared for sentence in _differences(known, mine)]


def _is_long_lived(resource: dict[str, Any]) -> bool:
    return resource["type"].endswith(":Container") and bool(resource.get("outputs", {}).get("mustRun"))


def _differences(known: dict[str, Any], mine: dict[str, Container]) -> list[str]:
    part = next(one["value"] for one in known["labels"] if one["label"] == PART_LABEL)
    running = mine.get(part)
    if running is None:
        return [f"{part} was removed"]
    if running.id != known["id"]:
        return [f"{part} was replaced by another container"]
    now = _adjustable(running)
    then = {
        "memory limit (MiB)": known["memory"],
        "restart policy": known["restart"],
        "networks": sorted(one["name"] for one in known["networksAdvanced"]) or [known["networkMode"]],
    }
    return [f"{part}: {what} is {now[what]}, was {then[what]}" for what in then if now[what] != then[what]]


def _adjustable(one: Container) -> dict[str, Any]:
    host = one.attrs["HostConfig"]
    return {
        "memory limit (MiB)": host["Memory"] // MEBIBYTE,
        "restart policy": host["RestartPolicy"]["Name"],
        "networks": sorted(one.attrs["NetworkSettings"]["Networks"]),
    }

"""Memory of an idle workspace, by container, compared with CVAT's official set of containers."""

from __future__ import annotations

import time
from collections.abc import Mapping

import docker
from docker.models.containers import Container

from bench.plain import plain
from bench.rows import Bound, Row
from bench.workspace import Bench, in_use

SETTLE_SECONDS = 45
BOUND = Bound(0.4, of="ratio")
OFFICIAL = "CVAT's official containers"


def measure(bench: Bench) -> list[Row]:
    """MiB in use. The official set has no proxy, S3 gateway or backups; the workspace's total has them."""
    with plain(bench.cvat_version) as started:
        official = _idle(_by_name(started.containers))
    mine = _idle(bench.workspace.containers)
    own, theirs = _workers(mine, "worker"), _workers(official, "cvat_worker")
    return [
        Row(
            "memory idle, whole workspace", sum(mine.values()), "MiB", OFFICIAL, sum(official.values()), BOUND
        ),
        Row("memory idle, the workers alone", own, "MiB", "the eight official workers", theirs),
        *(Row(f"memory idle: {part}", size, "MiB") for part, size in sorted(mine.items())),
        *(Row(f"memory idle, official: {part}", size, "MiB") for part, size in sorted(official.items())),
    ]


def _by_name(names: Mapping[str, str]) -> dict[str, Container]:
    client = docker.from_env()
    return {part: client.containers.get(name) for part, name in names.items()}


def _idle(containers: Mapping[str, Container]) -> dict[str, float]:
    """Of those that run, once they have settled."""
    time.sleep(SETTLE_SECONDS)
    return {part: in_use(one) for part, one in containers.items() if one.status == "running"}


def _workers(sizes: Mapping[str, float], prefix: str) -> float:
    return sum(size for part, size in sizes.items() if part.startswith(prefix))

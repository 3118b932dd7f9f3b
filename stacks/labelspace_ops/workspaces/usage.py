"""What a workspace takes of this machine: memory and disk, measured when asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from docker.models.containers import Container

from labelspace.home import Home
from labelspace.naming import WORKSPACE_LABEL
from labelspace_ops.runtime import docker_engine


def measure(name: str, bucket_names: list[str], client: docker.DockerClient, home: Home) -> dict[str, Any]:
    """Bytes: ``memory`` now and at most, ``data`` (volumes), ``buckets``, ``backups``; None: unreadable."""
    mine = [one for one in docker_engine.containers(client, name).values() if one.status == "running"]
    return {
        "name": name,
        "memory": sum(_memory(one) for one in mine),
        "memory_at_most": sum(one.attrs["HostConfig"].get("Memory", 0) for one in mine),
        "data": _volumes(client, name),
        "buckets": sum(_folder(home.buckets / bucket) or 0 for bucket in bucket_names),
        "backups": _folder(home.backups / name),
    }


def _memory(one: Container) -> int:
    """Without the cache of files, which the system takes back when it needs it."""
    try:
        measured: Any = one.stats(stream=False, one_shot=True)
    except DockerException:  # it ended meanwhile
        return 0
    memory = measured.get("memory_stats", {})
    return int(max(0, memory.get("usage", 0) - memory.get("stats", {}).get("inactive_file", 0)))


def _volumes(client: docker.DockerClient, name: str) -> int:
    volumes = client.df().get("Volumes") or []
    mine = [one for one in volumes if (one.get("Labels") or {}).get(WORKSPACE_LABEL) == name]
    return sum(max(0, one["UsageData"]["Size"]) for one in mine)


def _folder(folder: Path) -> int | None:
    """None when a part of it may not be read: backups belong to the database's user."""
    try:
        return sum(path.lstat().st_size for path in _files(folder))
    except PermissionError:
        return None


def _files(folder: Path) -> list[Path]:
    """Every file under ``folder``; unlike ``rglob`` it raises where it may not look."""
    if not folder.exists():
        return []
    inside = list(folder.iterdir())
    deeper = [file for path in inside if path.is_dir() and not path.is_symlink() for file in _files(path)]
    return [path for path in inside if not path.is_dir()] + deeper

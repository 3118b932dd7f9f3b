"""Memory and disk that a workspace uses on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docker.errors import DockerException
from docker.models.containers import Container

from labelspace.home import Home
from labelspace.naming import WORKSPACE_LABEL
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.targets.base import Usage


def measure(runtime: DockerRuntime, bucket_names: list[str], home: Home) -> Usage:
    """Measure a workspace's containers, volumes and folders."""
    name = runtime.workspace
    own = [item for item in runtime.containers().values() if item.status == "running"]
    return Usage(
        memory=sum(_memory(item) for item in own),
        memory_at_most=sum(item.attrs["HostConfig"].get("Memory", 0) for item in own),
        data=_volumes_size(runtime),
        buckets=sum(_folder_size(home.buckets / bucket) or 0 for bucket in bucket_names),
        backups=_folder_size(home.backups / name),
    )


def _memory(item: Container) -> int:
    """Return the memory of a container without its file cache, which the kernel can reclaim."""
    try:
        measured: Any = item.stats(stream=False, one_shot=True)
    except DockerException:  # the container ended meanwhile
        return 0
    memory = measured.get("memory_stats", {})
    return int(max(0, memory.get("usage", 0) - memory.get("stats", {}).get("inactive_file", 0)))


def _volumes_size(runtime: DockerRuntime) -> int:
    volumes = runtime.client.df().get("Volumes") or []
    own = [item for item in volumes if (item.get("Labels") or {}).get(WORKSPACE_LABEL) == runtime.workspace]
    return sum(max(0, item["UsageData"]["Size"]) for item in own)


def _folder_size(folder: Path) -> int | None:
    """Return the size of a folder; None when a part is unreadable: backups belong to the database's user."""
    try:
        return sum(path.lstat().st_size for path in _files(folder))
    except PermissionError:
        return None


def _files(folder: Path) -> list[Path]:
    """List every file under ``folder``; unlike ``rglob``, raise ``PermissionError``."""
    if not folder.exists():
        return []
    entries = list(folder.iterdir())
    nested = [file for path in entries if path.is_dir() and not path.is_symlink() for file in _files(path)]
    return [path for path in entries if not path.is_dir()] + nested

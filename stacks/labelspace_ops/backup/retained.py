"""Data that a deleted workspace of a name left; none of it is used unless the user asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labelspace.home import Home
from labelspace.naming import PART_LABEL, resource_name
from labelspace.postgres.pgbackrest import FILE_VOLUMES, location
from labelspace.spec import WorkspaceSpec
from labelspace_ops.runtime.base import Runtime
from labelspace_ops.stack import state

VOLUME = "docker:index/volume:Volume"
"""Pulumi's type of a volume of the engine."""
IRREPLACEABLE = ("database", *FILE_VOLUMES)
"""The volumes with what nobody can make again."""


@dataclass(frozen=True)
class RetainedData:
    """What is left; each part empty for none."""

    name: str
    volume: str
    """The volume of the annotations."""
    backups: str
    """Where the backups are."""
    containers: int = 0
    """Containers that no state names."""

    def __str__(self) -> str:
        parts = [f"annotations (volume {self.volume})"] if self.volume else []
        parts += [f"backups ({self.backups})"] if self.backups else []
        parts += [f"{self.containers} containers (made again)"] if self.containers else []
        return f"an earlier workspace {self.name} left {' and '.join(parts)}"


def find_retained(runtime: Runtime, home: Home, in_bucket: str = "") -> RetainedData | None:
    """Return the data left under a name; None without any, and for a workspace that exists.

    ``in_bucket``: the URL of its backups, where a bucket holds some.
    """
    name = runtime.workspace
    volume = resource_name(name, "database") if "database" in runtime.volumes() else ""
    left = RetainedData(name, volume, in_bucket or _backups(home.backups / name), len(runtime.services()))
    return None if has_resources(name, home) or not (volume or left.backups) else left


def lost_volumes(runtime: Runtime, home: Home, in_bucket: str = "") -> list[str]:
    """Return the volumes of annotations and of CVAT's files that a workspace had and that are gone.

    The stack names what it made. After a refresh it does not; then the backups tell that there was something.
    The database's container makes their folder, and it starts after the volumes were made.
    """
    name, there = runtime.workspace, runtime.volumes()
    if not has_resources(name, home):
        return []
    had = _volumes(state.resources(name, home))
    had |= {"database"} if in_bucket or _backups(home.backups / name) else set()
    had |= {*FILE_VOLUMES} if holds_any(home.backups / name) else set()
    return [part for part in IRREPLACEABLE if part in had and part not in there]


def holds_any(folder: Path) -> bool:
    """Return whether a folder is one of backups, maybe without any; an unmounted disk leaves an empty one."""
    return any((folder / kind).exists() for kind in ("database", "files"))


def _volumes(resources: list[state.Resource]) -> set[str]:
    """Return the parts of the Docker volumes in a state."""
    labels = [one.outputs.get("labels") or [] for one in resources if one.type == VOLUME]
    return {str(one["value"]) for rows in labels for one in rows if one["label"] == PART_LABEL}


def lost_location(spec: WorkspaceSpec, home: Home, in_bucket: str = "") -> str:
    """Return where the workspace had backups that are gone: a folder, or a bucket's URL; else nothing.

    New backups in an empty folder or bucket would hide the earlier ones. What the bucket of an external
    database's backups holds is not known here.
    """
    name, folder, bucket = spec.name, home.backups / spec.name, spec.backup.bucket
    has_any = bool(in_bucket or spec.external_database) if bucket else holds_any(folder)
    if has_any or not has_resources(name, home):
        return ""
    where = location(spec.backup, folder, name)
    return where if state.outputs(name, home).get("backups", {}).get("where") == where else ""


def _backups(folder: Path) -> str:
    """With a bucket for backups, the folder is there and empty."""
    database = folder / "database"
    return str(folder) if database.exists() and any(database.iterdir()) else ""


def has_resources(name: str, home: Home) -> bool:
    """Return whether a stack has resources: a destroyed one is empty."""
    return name in state.names(home) and bool(state.resources(name, home))

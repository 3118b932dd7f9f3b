"""Data that a deleted workspace of a name left; none of it is used unless the user asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labelspace.home import Home
from labelspace.naming import resource_name
from labelspace.postgres.pgbackrest import FILE_VOLUMES
from labelspace_ops.runtime.base import Runtime
from labelspace_ops.stack import state


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


def only_in_backups(runtime: Runtime, home: Home, in_bucket: str = "") -> bool:
    """Return whether the annotations of a workspace that exists are in its backups alone."""
    name = runtime.workspace
    lost = "database" not in runtime.volumes() and (in_bucket or _backups(home.backups / name))
    return bool(lost) and has_resources(name, home)


def lost_volumes(runtime: Runtime, home: Home) -> list[str]:
    """Return the volumes of CVAT's files that a workspace had and that are gone.

    The database's container makes the folder of backups, and it starts after the volumes were made.
    """
    folder = home.backups / runtime.workspace
    if not any((folder / kind).exists() for kind in ("database", "files")):
        return []
    gone = [part for part in FILE_VOLUMES if part not in runtime.volumes()]
    return gone if gone and has_resources(runtime.workspace, home) else []


def _backups(folder: Path) -> str:
    """With a bucket for backups, the folder is there and empty."""
    database = folder / "database"
    return str(folder) if database.exists() and any(database.iterdir()) else ""


def has_resources(name: str, home: Home) -> bool:
    """Return whether a stack has resources: a destroyed one is empty."""
    return name in state.names(home) and bool(state.resources(name, home))

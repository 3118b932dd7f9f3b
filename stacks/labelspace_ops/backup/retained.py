"""What an earlier workspace of a name left here; nothing of it is taken up unless that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import NotFound

from labelspace.home import Home
from labelspace.postgres.pgbackrest import FILE_VOLUMES
from labelspace_ops.stack import state


@dataclass(frozen=True)
class RetainedData:
    """The volume of the annotations, and where backups are; each empty for none."""

    name: str
    volume: str
    backups: str

    def __str__(self) -> str:
        parts = [f"annotations (volume {self.volume})"] if self.volume else []
        parts += [f"backups ({self.backups})"] if self.backups else []
        return f"an earlier workspace {self.name} left {' and '.join(parts)}"


def find_retained(
    name: str, client: docker.DockerClient, home: Home, in_bucket: str = ""
) -> RetainedData | None:
    """What was left under a name that has no workspace now; None also when a workspace has it.

    ``in_bucket``: the URL of its backups, where a bucket holds some.
    """
    left = RetainedData(name, _volume(client, name), in_bucket or _backups(home.backups / name))
    if not left.volume and not left.backups:
        return None
    return None if has_resources(name, home) else left


def only_in_backups(name: str, client: docker.DockerClient, home: Home, in_bucket: str = "") -> bool:
    """Whether a workspace's annotations are in its backups alone."""
    gone = not _volume(client, name) and (in_bucket or _backups(home.backups / name))
    return bool(gone) and has_resources(name, home)


def lost_volumes(name: str, client: docker.DockerClient, home: Home) -> list[str]:
    """The volumes of CVAT's files that a workspace had and that are gone.

    Only a workspace with backups is known to have had them: an update may have been interrupted before.
    """
    gone = [part for part in FILE_VOLUMES if not _volume(client, name, part)]
    folder = home.backups / name
    had = any((folder / kind).exists() for kind in ("database", "files")) and has_resources(name, home)
    return gone if gone and had else []


def _volume(client: docker.DockerClient, name: str, part: str = "database") -> str:
    volume = f"labelspace-{name}-{part}"
    try:
        client.volumes.get(volume)
    except NotFound:
        return ""
    return volume


def _backups(folder: Path) -> str:
    """Only what holds something: with a bucket for backups, the folder is there and empty."""
    database = folder / "database"
    return str(folder) if database.exists() and any(database.iterdir()) else ""


def has_resources(name: str, home: Home) -> bool:
    """A stack that was destroyed is still there, and empty; an update that was interrupted left some."""
    return name in state.names(home) and bool(state.resources(name, home))

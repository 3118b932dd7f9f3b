"""A workspace's backups, whatever its target and its kind of database: what commands and console ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import docker

from labelspace.home import Home
from labelspace_ops.backup import agent, restore, upgrade_test
from labelspace_ops.backup.formatting import restorable_from
from labelspace_ops.core.errors import UsageError
from labelspace_ops.runtime import docker_engine

Row = dict[str, Any]


@dataclass(frozen=True)
class RestorePoint:
    """What a restore would take, as ``Backups.chosen`` found it."""

    words: str
    """For people, with what is lost by it where that is known."""
    to: str = ""
    backup: str = ""
    dump: Row = field(default_factory=dict)
    """Of a managed database: the row itself."""

    @property
    def flags(self) -> list[str]:
        """Those of ``labelspace restore`` that take the same."""
        given = {"--to": self.to, "--backup": self.backup}
        return [word for flag, value in given.items() if value for word in (flag, value)]


class Backups(ABC):
    """One workspace's, as ``of`` gives them; everything here raises ``OpsError`` with what to do."""

    latest = "the last archived change"
    """What a restore takes when nothing is asked for, for people."""
    any_moment = True
    """Whether each moment since the oldest backup can be restored, or those of the list alone."""

    def __init__(self, name: str, home: Home, settings: dict[str, Any]) -> None:
        self.name, self.home, self.settings = name, home, settings

    @abstractmethod
    def listing(self) -> list[Row]:
        """All, newest last."""

    @abstractmethod
    def take(self, *, full: bool = False) -> Row:
        """One more now; ``full``: not only what changed, where that makes a difference."""

    @abstractmethod
    def chosen(self, *, to: str = "", backup: str = "") -> RestorePoint:
        """What ``restore`` would take; refused where it could not even begin."""

    @abstractmethod
    def restore(self, choice: RestorePoint) -> Row:
        """Bring the annotations back; what is there now is kept first."""

    @abstractmethod
    def drill(self, backup: str = "") -> Row:
        """Prove one, by default the newest."""

    def accept(self, backup: str) -> None:
        """Agree that CVAT's files of a backup are far fewer than before: older backups expire again."""
        raise UsageError(f"accept: the backups of {self.name} hold no files of CVAT")

    def takes(self, row: Row) -> bool:
        """Whether a restore can take this one of the list."""
        return bool(row["complete"])

    def restorable(self, rows: list[Row]) -> str:
        """Which moments a restore can bring back, for people."""
        since = restorable_from(rows)
        if since is None:
            return "nothing can be restored yet"
        archived = self.any_moment and rows[-1]["kind"] != "dump"
        moments = f"any moment from {since} until now" if archived else "the moments above"
        return f"restorable: {moments}"


class PgBackRestBackups(Backups):
    """By pgBackRest beside the database, wherever its engine is."""

    @abstractmethod
    def reached(self) -> AbstractContextManager[tuple[docker.DockerClient, agent.Repository]]:
        """The engine of the database's machine, and its repository."""

    def listing(self) -> list[Row]:
        """Whether the database runs or not."""
        with self.reached() as (client, source):
            return restore.list_backups(client, source)

    def take(self, *, full: bool = False) -> Row:
        """Throttled, as on the schedule."""
        with self.reached() as (client, _):
            one = agent.require_database(client, self.name)
            taken = agent.call(one, "backup", kind="full" if full else "incr", throttled=True)
        return {"name": self.name, **taken}

    def accept(self, backup: str) -> None:
        """By a note in the repository."""
        with self.reached() as (client, _):
            agent.call(agent.require_database(client, self.name), "accept", backup=backup)

    def chosen(self, *, to: str = "", backup: str = "") -> RestorePoint:
        """Any moment; the restore itself says which there are."""
        return RestorePoint(to or backup or self.latest, to, backup)

    def drill(self, backup: str = "") -> Row:
        """Beside the running database."""
        with self.reached() as (client, _):
            return upgrade_test.drill(client, self.name, backup)


class LocalBackups(PgBackRestBackups):
    """On this machine."""

    @contextmanager
    def reached(self) -> Iterator[tuple[docker.DockerClient, agent.Repository]]:
        """This machine's engine."""
        yield docker_engine.connect(), agent.workspace_repository(self.name, self.home)

    def restore(self, choice: RestorePoint) -> Row:
        """Also of a stopped workspace, which stays stopped."""
        return restore.restore(self.name, self.home, to=choice.to, backup=choice.backup)

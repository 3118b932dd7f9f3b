"""A workspace's backups as commands and the console see them, whatever the target and the database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from labelspace.home import Home
from labelspace_ops.backup import agent, restore, upgrade_test
from labelspace_ops.backup.formatting import restorable_from
from labelspace_ops.backup.models import BackupRow, BackupTaken, Proof, Restored
from labelspace_ops.core import locks
from labelspace_ops.core.errors import UsageError
from labelspace_ops.runtime.base import Runtime
from labelspace_ops.runtime.docker_engine import DockerRuntime


@dataclass(frozen=True)
class RestorePoint:
    """What a restore would bring back, as ``Backups.chosen`` found it."""

    text: str
    """For people, with what is lost by it where that is known."""
    to: str = ""
    """A time, ISO 8601."""
    backup: str = ""
    """The id of a backup."""
    dump: BackupRow | None = None
    """Of a managed database: the dump."""

    @property
    def flags(self) -> list[str]:
        """The flags of ``labelspace restore`` that restore the same."""
        given = {"--to": self.to, "--backup": self.backup}
        return [word for flag, value in given.items() if value for word in (flag, value)]


class Backups(ABC):
    """The backups of one workspace. Every method raises ``OpsError`` with the next step."""

    latest = "the last archived change"
    """What a restore without arguments brings back, for people."""
    any_moment = True
    """Whether each moment since the oldest backup can be restored, or only those of the list."""

    def __init__(self, name: str, home: Home, settings: dict[str, Any]) -> None:
        self.name, self.home, self.settings = name, home, settings

    @abstractmethod
    def listing(self) -> list[BackupRow]:
        """Return all backups, newest last."""

    @abstractmethod
    def take(self, *, full: bool = False) -> BackupTaken:
        """Take a backup now; ``full``: of everything, where that makes a difference."""

    @abstractmethod
    def chosen(self, *, to: str = "", backup: str = "") -> RestorePoint:
        """Return what ``restore`` would bring back; raises ``UsageError`` when it could not begin."""

    @abstractmethod
    def restore(self, choice: RestorePoint) -> Restored:
        """Restore the annotations; the current ones are backed up first."""

    @abstractmethod
    def drill(self, backup: str = "") -> Proof:
        """Prove a backup, by default the newest."""

    def accept(self, backup: str) -> None:
        """Agree that CVAT's files of a backup are far fewer than before, or that it is gone."""
        raise UsageError(f"accept: the backups of {self.name} hold no files of CVAT")

    def takes(self, row: BackupRow) -> bool:
        """Return whether a restore can use this backup."""
        return row.complete

    def restorable(self, rows: list[BackupRow]) -> str:
        """Return which moments a restore can bring back, for people."""
        since = restorable_from(rows)
        if since is None:
            return "nothing can be restored yet"
        archived = self.any_moment and not rows[-1].is_dump
        lost = "".join(f", except {row.lost_from} to {row.when}" for row in rows if row.lost_from)
        moments = f"any moment from {since} until now{lost}" if archived else "the moments above"
        return f"restorable: {moments}"


class AgentBackups(Backups):
    """Backups that the backup program makes in the database's container, on any runtime."""

    @abstractmethod
    def reached(self) -> AbstractContextManager[tuple[Runtime, agent.Repository]]:
        """Connect to the database's runtime; return it and the repository."""

    def _held(self, verb: str) -> AbstractContextManager[None]:
        """Refuse commands that change the workspace meanwhile; it serves, and others may back it up."""
        return locks.hold(self.home, self.name, verb, shared=True)

    def listing(self) -> list[BackupRow]:
        """Return the backups, whether the database runs or not."""
        with self.reached() as (runtime, source):
            return agent.list_backups(runtime, source)

    def take(self, *, full: bool = False) -> BackupTaken:
        """Take a throttled backup, as the schedule does."""
        with self._held("making a backup of"), self.reached() as (runtime, _):
            return agent.take_backup(runtime, full=full, throttled=True)

    def accept(self, backup: str) -> None:
        """Store the agreement with the backup, or begin with new backups where those up to it are gone."""
        with self._held("making a backup of"), self.reached() as (runtime, source):
            agent.accept(runtime, source, backup)

    def chosen(self, *, to: str = "", backup: str = "") -> RestorePoint:
        """Return what was asked for; the restore itself checks whether it is there."""
        return RestorePoint(to or backup or self.latest, to, backup)

    def drill(self, backup: str = "") -> Proof:
        """Prove a backup next to the running database."""
        with self._held("proving a backup of"), self.reached() as (runtime, _):
            return upgrade_test.drill(runtime, backup)


class LocalBackups(AgentBackups):
    """Backups on this machine."""

    @contextmanager
    def reached(self) -> Iterator[tuple[Runtime, agent.Repository]]:
        """Connect to this machine's engine."""
        yield DockerRuntime.here(self.name), agent.workspace_repository(self.name, self.home)

    def restore(self, choice: RestorePoint) -> Restored:
        """Restore a workspace, also a stopped one, which stays stopped."""
        return restore.restore(self.name, self.home, to=choice.to, backup=choice.backup)

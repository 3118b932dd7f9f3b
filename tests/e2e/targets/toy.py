"""A target in memory: what a new target has to bring, at the least."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, Literal

from pulumi import automation as auto

from labelspace.home import Home
from labelspace.outputs import Deployment
from labelspace.spec import WorkspaceSpec
from labelspace.targets.base import Declaration
from labelspace_ops.backup.base import Backups, RestorePoint
from labelspace_ops.backup.models import UNKNOWN, BackupRow, BackupTaken, Proof, Restored
from labelspace_ops.core.checks import Check
from labelspace_ops.labels import program
from labelspace_ops.stack.state import Resource
from labelspace_ops.targets.base import CreateOptions, Deletion, Target, Update
from labelspace_ops.targets.status import Status

BACKUPS: dict[str, list[BackupRow]] = {}
"""Backups by workspace."""
SERVING: set[str] = set()
"""Workspaces that run."""


class ToySpec(WorkspaceSpec):
    """The settings of a workspace in memory."""

    target: Literal["toy"] = "toy"


def deploy(declaration: Declaration[ToySpec]) -> Deployment:
    """No resource at all."""
    url = f"http://{declaration.spec.name}.toy"
    return Deployment(url, url, (), {"where": "memory", "schedule": "on demand", "keep": "for ever"})


class ToyBackups(Backups):
    """Backups in a list."""

    def listing(self) -> list[BackupRow]:
        return BACKUPS.get(self.name, [])

    def take(self, *, full: bool = False) -> BackupTaken:
        rows = BACKUPS.setdefault(self.name, [])
        row = BackupRow(
            id=f"backup-{len(rows)}", kind="full" if full else "incr", size=1, added=1, complete=True,
            timeline=0, when="2026-11-27T10:00:00+00:00", rows=None, files=True, latest={}, proof=None,
        )  # fmt: skip
        rows.append(row)
        return BackupTaken(name=self.name, id=row.id, kind=row.kind, size=row.size, added=row.added)

    def chosen(self, *, to: str = "", backup: str = "") -> RestorePoint:
        return RestorePoint(to or backup or self.latest, to, backup)

    def restore(self, choice: RestorePoint) -> Restored:
        raise NotImplementedError(choice.text)

    def drill(self, backup: str = "") -> Proof:
        raise NotImplementedError(backup)


class ToyUpdate(Update[ToySpec]):
    """The workspace serves after an update that shall run it."""

    def after(self) -> None:
        SERVING.add(self.spec.name)


class ToyTarget(Target[ToySpec]):
    """Workspaces in memory."""

    name: ClassVar[str] = "toy"
    title: ClassVar[str] = "memory"

    def program(self, *, checked: bool = False, rehearsed: bool = False) -> Callable[[], None]:
        return partial(program.run)

    @contextmanager
    def begin_update(self, spec: ToySpec, home: Home, options: CreateOptions) -> Iterator[Update[ToySpec]]:
        yield ToyUpdate(spec)

    def before_stop(self, stack: auto.Stack, home: Home) -> str:
        SERVING.discard(stack.name)
        return self.backups(stack.name, home, {}).take().id

    def backups_location(self, name: str, home: Home) -> str:
        return "memory"

    def delete(self, stack: auto.Stack, home: Home, destroy: Callable[[], None], *, purge: bool) -> Deletion:
        last = self.before_stop(stack, home)
        destroy()
        return Deletion(last, "memory")

    def status(self, name: str, resources: list[Resource], home: Home) -> Status:
        status = "ready" if name in SERVING else "stopped"
        outputs = {"url": f"http://{name}.toy", "backups": {"where": "memory"}}
        return Status.measured(name, self.name, outputs, UNKNOWN, status=status, buckets=[], checks=[])

    def backups(self, name: str, home: Home, settings: dict[str, Any]) -> Backups:
        return ToyBackups(name, home, settings)

    def preview_notes(self, spec: ToySpec, *, new: bool) -> list[str]:
        return ["nothing outlives the process"]

    def doctor(self, home: Home) -> list[Check]:
        return []

"""The logical engine in a container: PostgreSQL's programs use a service file, restic stores the dumps.

A dump and CVAT's files are one snapshot; its tags hold the identifier, the record and the dump's size.
"""

from __future__ import annotations

import base64
import json
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import files, logical, postgres, record, restic
from .drill_results import FolderDrillResults
from .engine import Backup, held
from .physical import restore_dump
from .programs import FailedError, Json
from .scratch import Scratch
from .settings import CVAT, PLACE, SCRATCH, Settings

SERVICE_FILE = Path("/run/labelspace/pg_service.conf")
"""libpq's connection service ``workspace``, with the password."""
RECORD, SIZE, FILES, ACCEPTED = "record=", "size=", "files=", "accepted="
"""How the tags begin that hold a dump's record, its size, the record of CVAT's files, and an agreement."""
KINDS = (RECORD, SIZE, FILES, ACCEPTED)


class ContainerContext:
    """PostgreSQL's programs of this container."""

    work = Path("/var/lib/postgresql")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def client(self, *words: str) -> list[str]:
        """Host and password are in the service file: no process list shows them."""
        return ["env", f"PGSERVICEFILE={SERVICE_FILE}", "PGSERVICE=workspace", *words]

    @contextmanager
    def scratch(self, dump: Path, *, network: str = "none") -> Iterator[Scratch]:
        """A server of this container."""
        postgres.initialise(SCRATCH, self._settings)
        served = network != "none"
        try:
            with postgres.server(SCRATCH, self._settings, archive=False, network=served) as (socket, _):
                restore_dump(self._settings, dump, socket)
                yield Scratch(postgres.asker(self._settings, socket), socket)
        finally:
            shutil.rmtree(SCRATCH, ignore_errors=True)


class ResticDumps:
    """Dumps as restic's snapshots, encrypted, in a folder or a bucket."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def backups(self) -> list[Backup]:
        """Every dump, oldest first; raises ``FailedError`` when they cannot be read."""
        return sorted((backup for backup, _ in self._snapshots()), key=lambda one: one.stop)

    def _snapshots(self) -> list[tuple[Backup, Json]]:
        if not restic.exists(self._settings):
            return []
        rows = restic.snapshots(self._settings).items()
        return [(parse_tags(row["tags"]), row) for tag, row in rows if tag.startswith(RECORD)]

    def expected(self, label: str) -> record.Record | None:
        """The record of a dump."""
        return next((one.record for one in self.backups() if one.label == label), None)

    def put(self, label: str, dump: Path, taken: record.Record, *, throttled: bool) -> None:
        """One snapshot of the dump and of CVAT's files; dumps that are too old are removed."""
        restic.prepare(self._settings)
        tags = (label, f"{SIZE}{dump.stat().st_size}", f"{RECORD}{pack(asdict(taken))}")
        restic.take(self._settings, *tags, paths=[dump, CVAT], throttled=throttled)
        snapshot = restic.snapshots(self._settings)[label]["id"]
        copied = {name: asdict(one) for name, one in restic.record(self._settings, label).items()}
        restic.tag(self._settings, snapshot, f"{FILES}{pack(copied)}")
        if not held(self.backups(), self._settings.max_shrink_percent):
            restic.forget_all_but(self._settings, self._retained(datetime.now(UTC)))

    def accept(self, label: str) -> None:
        """A tag says so."""
        restic.tag(self._settings, restic.snapshots(self._settings)[label]["id"], f"{ACCEPTED}yes")

    def _retained(self, now: datetime) -> set[str]:
        """The newest dump, those of the retention, and the one before: every moment of it has a dump."""
        known = self.backups()
        cut = now - timedelta(days=self._settings.retention_days)
        recent = [one.label for one in known if one.stop >= cut]
        return set(recent) | {one.label for one in known[-len(recent) - 1 :]}

    def fetch(self, label: str, into: Path) -> None:
        """Write a dump into a file; raises ``FailedError`` when there is none."""
        row = next((row for one, row in self._snapshots() if one.label == label), None)
        if row is None:
            raise FailedError(f"there is no backup {label}")
        path = next(path for path in row["paths"] if path != str(CVAT))
        with into.open("wb") as file:
            restic.read(self._settings, row["id"], path, file)

    def check_files(self, backup: Backup, media: files.Media) -> files.Checked:
        """Read the repository, and compare the files with their record and the database."""
        return restic.verify(self._settings, backup.label, backup.files, media)


def pack(values: Json) -> str:
    """A record as a tag, which may hold no comma."""
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(values).encode())).decode()


def unpack(text: str) -> Json:
    """A record that ``pack`` wrote."""
    values: Json = json.loads(zlib.decompress(base64.urlsafe_b64decode(text)))
    return values


def parse_tags(tags: list[str]) -> Backup:
    """The dump of a snapshot."""
    found = {begin: tag.removeprefix(begin) for tag in tags for begin in KINDS if tag.startswith(begin)}
    label = next(tag for tag in tags if not tag.startswith(KINDS))
    dump = logical.of_label(label, int(found[SIZE]), record.parse(unpack(found[RECORD])))
    copied = files.parse(unpack(found[FILES])) if FILES in found else None
    return replace(dump, files=copied, accepted=ACCEPTED in found)


def engine(settings: Settings) -> logical.Logical:
    """Dumps an external database from a container next to CVAT."""
    return logical.Logical(
        settings, ContainerContext(settings), ResticDumps(settings), FolderDrillResults(PLACE)
    )

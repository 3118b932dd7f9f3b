"""The physical engine: pgBackRest copies the running database and archives every change.

A backup is the database, its restore point with the record, and CVAT's files, in this order: so every file
that the database names is there.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from . import files, gap, last_repository, pgbackrest, postgres, record, restic, restore, restore_point
from .drill_results import DrillResults, FolderDrillResults
from .engine import Backup, Request, find, held
from .programs import FailedError, Json, exclusive, run
from .scratch import Scratch
from .settings import DATA, PLACE, SCRATCH, Settings

PROBE_BYTES = 2**20
COMMITTED = "select pg_current_xact_id();\nselect pg_switch_wal();\n"
"""A commit after the restore point, archived at once: any time before it can be a restore's target."""
LATE_SECONDS = 60
"""A finished segment that waits longer than this for its archive is late."""
SEGMENT_BYTES = 16 * 2**20
MB = 2**20
ARCHIVER = """\
select coalesce(extract(epoch from last_archived_time), 0), coalesce(extract(epoch from last_failed_time), 0),
coalesce(last_archived_wal, '') from pg_stat_archiver
"""
HBA_OF_THE_IMAGE = "host all all all scram-sha-256\n"
"""What the official image adds to the rules of a new database."""


class Physical:
    """Backups of the PostgreSQL server in this container."""

    allows_empty = True
    drills_at_once = False

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.drill_results: DrillResults = FolderDrillResults(PLACE)

    def backups(self) -> list[Backup]:
        """Every backup, oldest first; raises ``FailedError`` when they cannot be read."""
        return pgbackrest.backups(pgbackrest.readable())

    def take(self, kind: str, *, throttled: bool = False) -> Backup:
        """Take a backup; one that fails leaves the older ones as they were."""
        with exclusive():
            self._check_writable()
            self._refuse_lost(self.backups())
            return self._take(kind, throttled=throttled)

    def _take(self, kind: str, *, throttled: bool = False) -> Backup:
        restic.prepare(self.settings)
        backup = pgbackrest.take(kind, throttled=throttled)
        self._complete(backup, throttled=throttled)
        return backup

    def lost_backups(self, found: list[Backup]) -> str:
        """Why the backups in the bucket are not those of this database; empty when they are."""
        return last_repository.lost(self.settings, found)

    def _refuse_lost(self, found: list[Backup]) -> None:
        if lost := self.lost_backups(found):
            raise FailedError(lost)

    def _check_writable(self) -> None:
        """Found out at once: restic would retry for a quarter of an hour."""
        if not self.settings.restic.startswith(str(PLACE)):
            return
        probe = PLACE / ".probe"
        try:
            probe.write_bytes(bytes(PROBE_BYTES))
        except OSError as error:
            raise FailedError(f"the location of the backups cannot be written: {error.strerror}") from None
        finally:
            with suppress(OSError):
                probe.unlink()

    def _complete(self, backup: Backup, *, throttled: bool = False) -> None:
        """Everything that follows pgBackRest's own part."""
        label = backup.label
        taken = restore_point.create(self.settings, label)
        pgbackrest.annotate(label, {pgbackrest.RECORD: json.dumps(asdict(taken))})
        postgres.asker(self.settings)(COMMITTED)
        restic.take(self.settings, label, throttled=throttled)
        copied = {name: asdict(one) for name, one in restic.record(self.settings, label).items()}
        repository = restic.identity(self.settings)
        pgbackrest.annotate(label, {pgbackrest.FILES: json.dumps(copied), pgbackrest.REPOSITORY: repository})
        last_repository.write(self.settings, backup)
        if gap.began(self.settings):
            self._close_gap(find(self, label))
        self._expire()

    def _close_gap(self, backup: Backup) -> None:
        """Annotate the backup with the range that no restore reaches."""
        lost = gap.began(self.settings, backup.stop)
        if lost:
            pgbackrest.annotate(backup.label, {pgbackrest.LOST: lost.isoformat(timespec="seconds")})
            gap.close(backup.stop)

    def _expire(self) -> None:
        """Remove what is too old, unless the newest backup holds far fewer files than those before."""
        if held(self.backups(), self.settings.max_shrink_percent):
            return
        pgbackrest.expire()
        restic.forget_all_but(self.settings, {one.label for one in self.backups()})

    def accept(self, label: str) -> None:
        """Agree that the files of a backup are fewer; the next backup removes what is too old.

        Or that the backups up to ``label`` are gone from the bucket: new ones begin at once.
        """
        with exclusive():
            found = self.backups()
            if last_repository.is_lost(self.settings, found, label):
                self._begin_again()
                return
            self._refuse_lost(found)
            pgbackrest.annotate(label, {pgbackrest.ACCEPTED: "yes"})

    def _begin_again(self) -> None:
        """The record names the lost backups until the first new one is complete."""
        try:
            pgbackrest.prepare()
        except FailedError as error:
            place = last_repository.location(self.settings)
            raise FailedError(f"{error}: remove what is left in {place}, then repeat the command") from None
        self._take("full")

    def accept_loss(self, label: str) -> None:
        """Accept that backups are gone while the database is stopped: new ones begin at its start.

        Raises ``FailedError`` when they are there.
        """
        if not last_repository.is_lost(self.settings, self.backups(), label):
            raise FailedError(f"{label} is not the newest of backups that are gone from their bucket")
        last_repository.FILE.unlink()

    def prepare(self) -> None:
        """Start the archive, with a first backup: before it nothing may be entrusted to the database.

        A backup that was interrupted after pgBackRest's part is completed: its restore point may come later.
        Raises ``FailedError`` when the earlier backups are gone from the bucket.
        """
        known = self.backups()
        self._refuse_lost(known)
        pgbackrest.prepare()
        if not known:
            self.take("full")
        elif not any(one.record for one in known):
            with exclusive():
                restic.prepare(self.settings)
                self._complete(known[-1])
        elif last_repository.moved(self.settings) or self._is_restored(known):
            self.take("incr")

    def _is_restored(self, known: list[Backup]) -> bool:
        """Changes after a restore can be reached only from a backup of their own timeline."""
        return max(one.timeline for one in known if one.record) < self._timeline()

    def _timeline(self) -> int:
        ask = postgres.asker(self.settings)
        return int(ask("select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"), 16)

    @contextmanager
    def restored(self, backup: Backup, *, network: str = "none") -> Iterator[Scratch]:
        """Restore a backup, up to its restore point, into a scratch server."""
        self.expected(backup)
        served = network != "none"
        postgres.make_empty(SCRATCH)
        try:
            pgbackrest.restore(SCRATCH, backup.label, restore_point.target(backup.label))
            with postgres.server(SCRATCH, self.settings, archive=False, network=served) as (socket, _):
                yield Scratch(postgres.asker(self.settings, socket), socket)
        finally:
            shutil.rmtree(SCRATCH, ignore_errors=True)

    def expected(self, backup: Backup) -> record.Record:
        """The record that was taken with the restore point; raises ``FailedError`` without one."""
        if backup.record is None:
            raise FailedError(f"{backup.label} has no row counts: it was interrupted; take another backup")
        return backup.record

    def check_files(self, backup: Backup, media: files.Media) -> files.Checked:
        """Read CVAT's files, and compare them with their record and the database."""
        return restic.verify(self.settings, backup.label, backup.files, media)

    def migrations(self) -> str:
        """The digest of the running database's migrations."""
        return record.migrations(postgres.asker(self.settings))

    def has_gap(self) -> bool:
        """Whether changes were given up and the archive works again: a full backup closes the gap."""
        return gap.ended()

    def archive(self) -> Json:
        """How far the archive is; times as ISO 8601, or None.

        ``last_archived``: name of the last archived segment, None while there is a gap. ``last_archived_at``:
        until when changes are safe. ``lost_from``: begin of the gap. ``waiting_bytes``,
        ``max_waiting_bytes``: of finished segments, and their bound. ``waiting_seconds``: age of the oldest.
        ``archive_fails``: whether the last try failed, or one waits too long. PostgreSQL reports discarded
        segments as archived.
        """
        archived, failed, name = postgres.asker(self.settings)(ARCHIVER).split("\t")
        waiting = [path.stat().st_mtime for path in (DATA / "pg_wal" / "archive_status").glob("*.ready")]
        late = bool(waiting) and time.time() - min(waiting) > LATE_SECONDS
        lost = gap.began(self.settings)
        return {
            "last_archived": None if lost else name[:24] or None,  # the mark of a backup has a suffix
            "last_archived_at": _iso(min(float(archived), lost.timestamp()) if lost else float(archived)),
            "lost_from": lost.isoformat(timespec="seconds") if lost else None,
            "waiting_bytes": len(waiting) * SEGMENT_BYTES,
            "max_waiting_bytes": self.settings.max_unarchived_mb * MB,
            "waiting_seconds": round(time.time() - min(waiting)) if waiting else 0,
            "archive_fails": float(failed) > float(archived) or late,
        }

    def keep_folder(self, tag: str, folder: str) -> str:
        """Copy the folder of a database that cannot run; returns ``tag``."""
        restic.prepare(self.settings)
        restic.take(self.settings, tag, paths=[folder])
        return tag

    def restore(self, request: Request, *, same_place: bool) -> Json:
        """Restore database and files in place of the current ones."""
        return restore.run(self.settings, request, same_place=same_place)

    def load(self, dump: Path) -> Json:
        """A new database from a portable dump; one that fails leaves everything as it was."""
        postgres.initialise(restore.NEW, self.settings, HBA_OF_THE_IMAGE)
        with postgres.server(restore.NEW, self.settings, archive=False) as (socket, _):
            ask = postgres.asker(self.settings, socket)
            rows = restore_dump(self.settings, dump, socket).rows
            ask(files.FORGET_IDENTITY)
            ask("analyze")
        restore.replace_data()
        return {"rows": rows}

    def write_dump(self, request: Request, dump: Path) -> int:
        """Restore a backup in this container and dump it; returns its rows."""
        restore.restore_to_staging(self.settings, request, archive=False)
        with postgres.server(restore.NEW, self.settings, archive=False) as (socket, _):
            rows = record.take(postgres.asker(self.settings, socket)).rows
            source = ["-h", socket, "-U", self.settings.user, "-f", str(dump), self.settings.database]
            run(["pg_dump", "--format=custom", *source], user="root")
        return rows


def restore_dump(settings: Settings, dump: Path, socket: str) -> record.Record:
    """Load a dump into the empty database of a server; returns what is in it then."""
    into = ["-h", socket, "-U", settings.user, "-d", settings.database]
    run(["pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", *into, str(dump)], user="root")
    return record.take(postgres.asker(settings, socket))


def _iso(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None

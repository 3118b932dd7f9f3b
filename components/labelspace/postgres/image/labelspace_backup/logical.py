"""The logical engine: dumps of a database that other people run, each in one snapshot with its record."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from . import files, record, restore
from .drill_results import DrillResults
from .engine import Backup, Request, find
from .programs import FailedError, Json, exclusive, run
from .scratch import Scratch
from .session import PSQL, session
from .settings import Settings

BEGIN = "set idle_in_transaction_session_timeout = 0;\nbegin isolation level repeatable read read only"
LABEL = "%Y-%m-%dT%H-%M-%SZ"
END_OF_DUMP = "-- PostgreSQL database dump complete"
DROP = f"""\
do $$
declare one record;
begin
    for one in select format('drop table if exists %I.%I cascade', schemaname, tablename) as drop
               from pg_tables where tableowner = current_user and tablename <> '{record.MARK_TABLE}'
               and schemaname not in ('pg_catalog', 'information_schema')
               union all
               select format('drop sequence if exists %I.%I cascade', schemaname, sequencename)
               from pg_sequences where sequenceowner = current_user
    loop execute one.drop; end loop;
end $$;
"""  # noqa: S608 - a constant


class DumpStore(Protocol):
    """Where dumps are stored."""

    def backups(self) -> list[Backup]:
        """Every dump, oldest first."""

    def put(self, label: str, dump: Path, taken: record.Record, *, throttled: bool) -> None:
        """Store a dump with its record, whole or not at all."""

    def fetch(self, label: str, into: Path) -> None:
        """Write a dump into a file."""

    def expected(self, label: str) -> record.Record | None:
        """The record of a dump, None for a dump without one."""

    def check_files(self, backup: Backup, media: files.Media) -> files.Checked:
        """Read CVAT's files of a dump, and compare them; nothing where the store holds none."""

    def accept(self, label: str) -> None:
        """Agree that the files of a dump are fewer; raises ``FailedError`` where the store holds none."""


class DumpContext(Protocol):
    """Where the engine runs: how it reaches the database, and how it makes scratch databases."""

    work: Path
    """A folder with space for a dump."""

    def client(self, *words: str) -> list[str]:
        """The command of a PostgreSQL program that is connected to the database."""

    def scratch(self, dump: Path, *, network: str = "none") -> AbstractContextManager[Scratch]:
        """A scratch database with a dump in it; ``network``: from where it is reached."""


class Logical:
    """Dumps of one database, reached over its network connection."""

    allows_empty = False
    drills_at_once = True

    def __init__(
        self, settings: Settings, context: DumpContext, store: DumpStore, drill_results: DrillResults
    ) -> None:
        self.settings, self.context, self.store, self.drill_results = settings, context, store, drill_results

    def backups(self) -> list[Backup]:
        """Every dump, oldest first."""
        return self.store.backups()

    def take(self, kind: str = "", *, throttled: bool = False) -> Backup:
        """Dump the database; ``kind`` makes no difference."""
        with exclusive(), self._file("dump") as dump:
            label = datetime.now(UTC).strftime(LABEL)
            taken = replace(self.dump(dump), sha256=digest(dump))
            self.store.put(label, dump, taken, throttled=throttled)
            return of_label(label, dump.stat().st_size, taken)

    @contextmanager
    def _file(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix=f"{name}.", dir=self.context.work) as folder:
            yield Path(folder, name)

    def dump(self, into: Path) -> record.Record:
        """Dump and count in one snapshot, which lasts as long as the transaction that exported it."""
        with session(self.context.client(*PSQL)) as ask:
            ask(BEGIN)
            snapshot = ask("select pg_export_snapshot()").strip()
            taken = record.take(ask)
            words = (
                "--format=custom",
                f"--exclude-table=public.{record.MARK_TABLE}",
                f"--snapshot={snapshot}",
            )
            with into.open("wb") as file:
                run(self.context.client("pg_dump", *words), user="root", into=file)
            ask("commit")
        return taken

    @contextmanager
    def restored(self, backup: Backup, *, network: str = "none") -> Iterator[Scratch]:
        """Restore a dump into a scratch database."""
        with self._file("drill") as dump:
            self.fetch(backup, dump)
            with self.context.scratch(dump, network=network) as scratch:
                yield scratch

    def fetch(self, backup: Backup, into: Path) -> None:
        """A dump, compared with the digest of its record; raises ``FailedError`` for a damaged one."""
        self.store.fetch(backup.label, into)
        expected = self.expected(backup)
        if expected and digest(into) != expected.sha256:
            raise FailedError("the dump is damaged: it is not the file that was written")

    def check_files(self, backup: Backup, media: files.Media) -> files.Checked:
        """Read CVAT's files, where the store holds them."""
        return self.store.check_files(backup, media)

    def lost_backups(self, found: list[Backup]) -> str:
        """Unknown: nothing outside the store names the newest dump."""
        return ""

    def accept(self, label: str) -> None:
        """Agree that the files of a dump are fewer."""
        with exclusive():
            self.store.accept(find(self, label).label)

    def expected(self, backup: Backup) -> record.Record | None:
        """What the dump held when it was taken; None for a dump without a record."""
        return backup.record or self.store.expected(backup.label)

    def migrations(self) -> str:
        """The digest of the database's migrations."""
        with session(self.context.client(*PSQL)) as ask:
            return record.migrations(ask)

    def has_gap(self) -> bool:
        """Without an archive nothing can be missing in it."""
        return False

    def archive(self) -> Json:
        """There is none: changes after a dump are lost with the database."""
        return {}

    def prepare(self) -> None:
        """A first dump, where there is none."""
        if not self.backups():
            self.take()

    def restore(self, request: Request, *, same_place: bool = True) -> Json:
        """Replace the database's contents by a dump's, in one transaction, then CVAT's files.

        The caller has stopped CVAT.
        """
        backup = find(self, request.label)
        expected = self.expected(backup)
        restore.check_known((expected.latest or {}) if expected else {}, request.known)
        with self._file("restore") as dump:
            self.fetch(backup, dump)
            self.replace(dump)
        restore.restore_files(self.settings, request.files)
        return {"backup": request.label, "files": request.files, "last_change": None}

    def replace(self, dump: Path) -> None:
        """Replace the database's contents by those of a dump's file, in one transaction."""
        with self._file("sql") as sql:
            self.write_sql(dump, sql)
            with sql.open("rb") as file:
                words = (*PSQL, "--single-transaction", "--output=/dev/null", "--file=-")
                run(self.context.client(*words), user="root", stdin=file)

    def write_sql(self, dump: Path, into: Path) -> None:
        """The SQL that replaces the database's contents; raises ``FailedError`` for an incomplete dump."""
        with into.open("wb") as sql, dump.open("rb") as file:
            sql.write(DROP.encode())
            sql.flush()
            words = ("pg_restore", "--no-owner", "--no-acl", "--file=-")
            run(self.context.client(*words), user="root", stdin=file, into=sql)
        with into.open("rb") as sql:
            sql.seek(max(0, into.stat().st_size - 1000))
            if END_OF_DUMP.encode() not in sql.read():
                raise FailedError("the dump was not read whole")
        with into.open("ab") as sql:
            sql.write(files.FORGET_IDENTITY.encode())

    def load(self, dump: Path) -> Json:
        """Fill the database from a portable dump; returns its rows."""
        self.replace(dump)
        with session(self.context.client(*PSQL)) as ask:
            return {"rows": record.take(ask).rows}

    def write_dump(self, request: Request, dump: Path) -> int:
        """Fetch a dump; returns its rows."""
        backup = find(self, request.label)
        self.fetch(backup, dump)
        expected = self.expected(backup)
        return expected.rows if expected else 0


def of_label(label: str, size: int, taken: record.Record | None) -> Backup:
    """A dump as it is listed; raises ``ValueError`` for another label."""
    stop = datetime.strptime(label, LABEL).replace(tzinfo=UTC)
    return Backup(label, "dump", stop, size, size, complete=True, timeline=0, record=taken)


def digest(dump: Path) -> str:
    """The SHA-256 of a file, by which damage is found later."""
    with dump.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

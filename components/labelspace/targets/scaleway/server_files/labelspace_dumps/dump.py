"""A dump, and the record of what is in it: both of one snapshot of the database."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import record
from .programs import WORK, FailedError, put, run

AT_THE_DATABASE = "labelspace-postgres"
END = "labelspace: end of the answer"
REFUSED = "psql: the database refuses, see the lines above"
BEGIN = "set idle_in_transaction_session_timeout = 0;\nbegin isolation level repeatable read read only;\n"


def take(known: dict[str, str]) -> str:
    """Dump into the backup bucket; the record goes first, so that no dump is without. Returns where it is."""
    with tempfile.TemporaryDirectory(prefix="dump.", dir=WORK) as folder:
        dump, beside = Path(folder, "dump"), Path(folder, "record")
        label = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
        written = {"dump": label, **_dumped(dump), "sha256": digest(dump), "bytes": dump.stat().st_size}
        beside.write_text(json.dumps(written))
        put(known, beside, f"dumps/{label}.json")
        put(known, dump, f"dumps/{label}.dump")
    return f"{known['BACKUP_BUCKET']}/dumps/{label}.dump"


def digest(dump: Path) -> str:
    """Of the file, to find it damaged later."""
    with dump.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _dumped(dump: Path) -> dict[str, Any]:
    """Both look at the database through one snapshot, which lasts as long as its transaction."""
    words = [AT_THE_DATABASE, *record.PSQL]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as psql:
        session = _Session(psql)
        session.ask(BEGIN)
        snapshot = session.ask("select pg_export_snapshot();\n").strip()
        found = record.take(session.ask)
        with dump.open("wb") as file:
            run(AT_THE_DATABASE, "pg_dump", "--format=custom", f"--snapshot={snapshot}", into=file)
        session.ask("commit;\n")
    return found


class _Session:
    """One connection that is asked again and again."""

    def __init__(self, psql: subprocess.Popen[str]) -> None:
        self._psql = psql

    def ask(self, sql: str) -> str:
        """Raises ``FailedError`` when the database refuses, or is gone; its words are in the journal then."""
        given, answers = self._psql.stdin, self._psql.stdout
        assert given is not None and answers is not None  # noqa: S101, PT018 - for the type checker
        try:
            given.write(f"{sql}select '{END}';\n")
            given.flush()
        except BrokenPipeError:
            with suppress(OSError):
                given.close()  # what could not be written would fail once more
            raise FailedError(REFUSED) from None
        answer: list[str] = []
        for line in answers:
            if line.rstrip("\n") == END:
                return "".join(answer)
            answer.append(line)
        raise FailedError(REFUSED)

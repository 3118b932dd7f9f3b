"""The process of a job: runs the command and writes its events to the journal."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import traceback
from typing import IO, Any

from labelspace_ops.cli import main as cli_main
from labelspace_ops.core.reporting import Event, to_record
from labelspace_ops.jobs.store import Record, write_record


class _Lines(io.TextIOBase):
    """A stream for standard error that writes each complete line to the journal."""

    def __init__(self, journal: IO[str]) -> None:
        self._journal, self._rest, self._lock = journal, "", threading.Lock()

    def write(self, text: str) -> int:
        with self._lock:
            *complete, self._rest = (self._rest + text).split("\n")
            for line in complete:
                if line.strip():
                    write_record(self._journal, Record(text=line.strip()))
        return len(text)


def run(journal: IO[str], arguments: list[str]) -> None:
    """Run the command in this process; write its exit code and its JSON result to the journal."""

    def record(event: Event) -> None:
        write_record(journal, Record(event=to_record(event)))

    output, code = io.StringIO(), 0
    sys.argv = ["labelspace", *arguments, "--json"]
    sys.stdout, sys.stderr = output, _Lines(journal)
    try:
        cli_main.main(record)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        code = 1
        traceback.print_exc()
    write_record(journal, Record(code=code, result=None if code else _parse_json(output.getvalue())))


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


if __name__ == "__main__":
    os.set_inheritable(int(sys.argv[1]), False)
    with os.fdopen(int(sys.argv[1]), "a") as journal_file:
        run(journal_file, sys.argv[2:])

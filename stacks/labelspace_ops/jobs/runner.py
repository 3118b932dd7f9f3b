"""Long commands as processes of their own, whose words and end are kept in a file that any reader can follow.

A job is ``labelspace`` itself, run apart from whoever began it: closing a browser or killing the console
leaves it alone. Its journal ``$LABELSPACE_HOME/jobs/<workspace>.jsonl`` holds one record a line:
``{"at", "verb", "arguments"}``, then ``{"at", "text"}`` for each line of progress, at last
``{"at", "code", "result"}``. The journal stays locked while the job lives: one that was killed is told from
one that works. Secrets are handed on by standard input alone and never written.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError

State = Literal["running", "done", "failed", "interrupted"]
BEGIN_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class Line:
    """One line of progress; ``at`` is seconds since the epoch."""

    at: float
    text: str


@dataclass(frozen=True)
class Job:
    """What a journal says: the command, its progress, its end."""

    name: str
    verb: str
    arguments: list[str]
    state: State
    began: float
    ended: float | None
    lines: list[Line] = field(default_factory=list)
    result: Any = None
    """What the command printed as JSON; None when it failed."""

    @property
    def reason(self) -> str:
        """Why it failed, in the command's own words; empty otherwise."""
        if self.state == "interrupted":
            return (
                "It was interrupted: its process ended before it was done. Trying again goes on where it was."
            )
        if self.state != "failed":
            return ""
        texts = [line.text for line in self.lines]
        first = next((at for at, text in enumerate(texts) if text.startswith("labelspace: ")), len(texts) - 1)
        return "\n".join(texts[first:]).removeprefix("labelspace: ")


def begin(home: Home, verb: str, name: str, arguments: list[str], stdin: str = "") -> None:
    """Run ``labelspace VERB NAME ARGUMENTS --json`` apart; raises ``OpsError`` while another job runs."""
    home.jobs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(_path(home, name), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+") as journal:
        _lock(journal, name)
        journal.truncate(0)
        _write(journal, {"verb": verb, "arguments": arguments})
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "labelspace_ops.jobs.runner",
                str(journal.fileno()),
                verb,
                name,
                *arguments,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[journal.fileno()],
            start_new_session=True,
            env={**os.environ, "LABELSPACE_HOME": str(home.root)},
        )
        assert process.stdin is not None  # noqa: S101 - asked for three lines above
        with process.stdin as pipe, contextlib.suppress(BrokenPipeError):
            pipe.write(stdin.encode())
    threading.Thread(target=process.wait, daemon=True).start()  # leave no zombie


def latest(home: Home, name: str) -> Job | None:
    """The newest job on the workspace, running or not; None when there never was one."""
    try:
        with _path(home, name).open() as journal:
            running = _is_locked(journal)
            records = list(_records(journal))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _job(name, records, running=running) if records else None


def names(home: Home) -> list[str]:
    """Workspaces on which there ever was a job."""
    return sorted(path.stem for path in home.jobs.glob("*.jsonl"))


def forget(home: Home, name: str) -> None:
    """Remove the journal of a job that is over; one that runs is left alone."""
    job = latest(home, name)
    if job and job.state != "running":
        _path(home, name).unlink(missing_ok=True)


def _path(home: Home, name: str) -> Path:
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise OpsError(f"name: {name!r} is no name of a workspace")
    return home.jobs / f"{name}.jsonl"


def _lock(journal: IO[str], name: str) -> None:
    """A reader holds the journal for an instant, a job to its end."""
    deadline = time.monotonic() + BEGIN_PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                raise OpsError(f"{name}: a command works on it already: wait for its end") from None
            time.sleep(0.05)
        else:
            return


def _is_locked(journal: IO[str]) -> bool:
    try:
        fcntl.flock(journal, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.flock(journal, fcntl.LOCK_UN)
    return False


def _records(journal: IO[str]) -> Iterator[dict[str, Any]]:
    """The last line may be half written."""
    for line in journal:
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def _job(name: str, records: list[dict[str, Any]], *, running: bool) -> Job:
    first, last = records[0], records[-1]
    over = "code" in last
    state: State = "running" if running and not over else "interrupted"
    if over:
        state = "failed" if last["code"] else "done"
    return Job(
        name=name,
        verb=first["verb"],
        arguments=first["arguments"],
        state=state,
        began=first["at"],
        ended=last["at"] if state != "running" else None,
        lines=[Line(one["at"], one["text"]) for one in records if "text" in one],
        result=last.get("result"),
    )


def _write(journal: IO[str], record: dict[str, Any]) -> None:
    journal.write(json.dumps({"at": time.time(), **record}) + "\n")
    journal.flush()


class _Lines(io.TextIOBase):
    """A standard error that writes each whole line into the journal."""

    def __init__(self, journal: IO[str]) -> None:
        self.journal, self.rest, self.turn = journal, "", threading.Lock()

    def write(self, text: str) -> int:
        with self.turn:
            *whole, self.rest = (self.rest + text).split("\n")
            for line in whole:
                if line.strip():
                    _write(self.journal, {"text": line.strip()})
        return len(text)


def _run(journal: IO[str], arguments: list[str]) -> None:
    """Run the command in this process; its end is written however it ends, short of a kill."""
    from labelspace_ops.cli import main as cli_main  # noqa: PLC0415 - the job alone is a command line

    said, code = io.StringIO(), 0
    sys.argv = ["labelspace", *arguments, "--json"]
    sys.stdout, sys.stderr = said, _Lines(journal)
    try:
        cli_main.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        code = 1
        traceback.print_exc()
    _write(journal, {"code": code, "result": _json(said.getvalue()) if not code else None})


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


if __name__ == "__main__":
    os.set_inheritable(int(sys.argv[1]), False)
    with os.fdopen(int(sys.argv[1]), "a") as own:
        _run(own, sys.argv[2:])

"""Jobs: long commands that run as processes of their own, and their journals.

A job is ``labelspace`` itself in a new session: it survives the browser and the console that started it. Its
journal ``$LABELSPACE_HOME/jobs/<workspace>.jsonl`` holds one JSON record a line: ``{"at", "verb",
"arguments", "project"}``, then ``{"at", "event"}`` for each progress event or ``{"at", "text"}`` for other
output, at last ``{"at", "code", "result"}``. The process holds a lock on the journal, so a killed job is
recognised. Secrets reach the process by standard input alone and are never written.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import Event, Failed, Message, from_record, to_line
from labelspace_ops.core.waiting import wait_until
from labelspace_ops.stack import project

State = Literal["running", "done", "failed", "interrupted"]
LOCK_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True)
class Entry:
    """One event of a job; ``at`` is seconds since the epoch."""

    at: float
    event: Event

    @property
    def text(self) -> str:
        """The event as one line."""
        return to_line(self.event).strip()


@dataclass(frozen=True)
class Job:
    """The content of a journal: the command, its progress, its end."""

    name: str
    verb: str
    arguments: list[str]
    state: State
    began: float
    ended: float | None
    entries: list[Entry] = field(default_factory=list)
    result: Any = None
    """What the command printed as JSON; None when it failed."""

    @property
    def reason(self) -> str:
        """Why it failed; empty otherwise."""
        if self.state == "interrupted":
            return (
                "It was interrupted: its process ended before it was done. Trying again goes on where it was."
            )
        if self.state != "failed":
            return ""
        reasons = [entry.event.reason for entry in self.entries if isinstance(entry.event, Failed)]
        return reasons[-1] if reasons else self.entries[-1].text if self.entries else ""


def begin(home: Home, verb: str, name: str, arguments: list[str], stdin: str = "") -> None:
    """Run ``labelspace VERB NAME ARGUMENTS --json`` apart; raises ``OpsError`` while another job runs."""
    home.jobs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(_path(home, name), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+") as journal:
        _lock(journal, name)
        journal.truncate(0)
        write_record(journal, {"verb": verb, "arguments": arguments, "project": _project(home)})
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "labelspace_ops.cli.job_process",
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
    """Workspaces of the current project on which there ever was a job."""
    here = _project(home)
    return sorted(path.stem for path in home.jobs.glob("*.jsonl") if _project_of(path) == here)


def _project(home: Home) -> str:
    return str(project.find(home).folder)


def _project_of(path: Path) -> str:
    """The folder of the project that a job worked on; empty for a journal without a first line."""
    with path.open() as journal:
        return str(next(_records(journal), {}).get("project", ""))


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
    """Lock the journal for a new job; a reader holds the lock for a moment, a running job until its end."""
    wait_until(
        lambda: _try_lock(journal, fcntl.LOCK_EX),
        timeout=LOCK_TIMEOUT_SECONDS,
        interval=0.05,
        on_timeout=f"{name}: another command works on this workspace: wait until it ends",
    )


def _try_lock(journal: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(journal, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_locked(journal: IO[str]) -> bool:
    if not _try_lock(journal, fcntl.LOCK_SH):
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
        entries=[Entry(one["at"], _event(one)) for one in records if "event" in one or "text" in one],
        result=last.get("result"),
    )


def _event(record: dict[str, Any]) -> Event:
    return from_record(record["event"]) if "event" in record else Message(record["text"])


def write_record(journal: IO[str], record: dict[str, Any]) -> None:
    """Append a record with the time of day."""
    journal.write(json.dumps({"at": time.time(), **record}) + "\n")
    journal.flush()

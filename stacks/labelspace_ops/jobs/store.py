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
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import Event, Failed, Message, from_record, to_line
from labelspace_ops.core.waiting import wait_until
from labelspace_ops.stack import project

State = Literal["running", "done", "failed", "interrupted"]
LOCK_TIMEOUT_SECONDS = 2.0


class Record(BaseModel):
    """A line of a journal; a key that is absent there is None here."""

    model_config = ConfigDict(frozen=True)

    at: float = Field(default_factory=time.time)
    """Seconds since the epoch."""
    verb: str | None = None
    """The command, in the first line."""
    arguments: list[str] | None = None
    """The command's arguments, in the first line."""
    project: str | None = None
    """The folder of the project, in the first line."""
    event: dict[str, Any] | None = None
    """A progress event."""
    text: str | None = None
    """Other output."""
    code: int | None = None
    """The exit code, in the last line of a job that ended."""
    result: JsonValue = None
    """The JSON that the command printed, in the last line."""

    def to_entry(self) -> Entry | None:
        """Return the event or the text; None for the first and the last line."""
        if self.event is not None:
            return Entry(self.at, from_record(self.event))
        return Entry(self.at, Message(self.text)) if self.text is not None else None


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
    result: JsonValue = None
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
        _lock(journal, name, home)
        journal.truncate(0)
        write_record(journal, Record(verb=verb, arguments=arguments, project=_project(home)))
        program = [sys.executable, "-m", "labelspace_ops.cli.job_process", str(journal.fileno())]
        process = subprocess.Popen(
            [*program, verb, name, *arguments],
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
        return next((record.project or "" for record in _records(journal)), "")


def forget(home: Home, name: str) -> None:
    """Remove the journal of a job that is over; one that runs is left alone."""
    job = latest(home, name)
    if job and job.state != "running":
        _path(home, name).unlink(missing_ok=True)


def _path(home: Home, name: str) -> Path:
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise OpsError(f"name: {name!r} is no name of a workspace")
    return home.jobs / f"{name}.jsonl"


def _lock(journal: IO[str], name: str, home: Home) -> None:
    """Lock the journal for a new job; a reader holds the lock for a moment, a running job until its end."""
    wait_until(
        lambda: _try_lock(journal, fcntl.LOCK_EX),
        timeout=LOCK_TIMEOUT_SECONDS,
        interval=0.05,
        on_timeout=lambda: f"{name}: {_describe_running(home, name)}: wait until it ends",
    )


def _describe_running(home: Home, name: str) -> str:
    job = latest(home, name)
    if job is None:
        return "another command works on this workspace"
    since = datetime.fromtimestamp(job.began, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"another command works on this workspace: `labelspace {job.verb} {name}`, since {since}"


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


def _records(journal: IO[str]) -> Iterator[Record]:
    for line in journal:
        with contextlib.suppress(ValidationError):  # the last line may be half written
            yield Record.model_validate_json(line)


def _job(name: str, records: list[Record], *, running: bool) -> Job:
    first, last = records[0], records[-1]
    state: State = "running" if running else "interrupted"
    if last.code is not None:
        state = "failed" if last.code else "done"
    return Job(
        name=name,
        verb=first.verb or "",
        arguments=first.arguments or [],
        state=state,
        began=first.at,
        ended=last.at if state != "running" else None,
        entries=[entry for one in records if (entry := one.to_entry())],
        result=last.result,
    )


def write_record(journal: IO[str], record: Record) -> None:
    """Append a record."""
    journal.write(record.model_dump_json(exclude_none=True) + "\n")
    journal.flush()

"""Calls other programs; a failure carries the program's own reason."""

from __future__ import annotations

import fcntl
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

LOCK = Path("/tmp/pgbackrest/labelspace.lock")  # noqa: S108 - inside the container
OOM_SCORE = "1000"
"""When memory runs out, the kernel ends a backup before it ends the database."""
NICE = 15
"""Of programs that copy: annotators go first; on a busy machine a backup takes longer."""
RUN_SECONDS, PAUSE_SECONDS = 0.05, 0.15
"""A throttled program is paused 75 % of the time: the nice value does not slow down disk access."""
SUBCOMMANDS = ("copyto", "lsf", "lsl", "cat", "pg_dump", "pg_restore", "psql", "run", "rm")
"""Words that tell readers which step failed when a command starts with options or a wrapper."""
Json = dict[str, Any]
"""An object of JSON: what a verb is asked with or answers, or what another program reports."""


class FailedError(Exception):
    """A step failed; the message names the program and its reason."""


def run(
    command: Sequence[str],
    *,
    user: str = "postgres",
    stdin: str | IO[bytes] = "",
    into: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    nice: int = 0,
    throttled: bool = False,
) -> str:
    """Run ``command`` as ``user``; returns its output, or writes it ``into`` a file. Raises ``FailedError``.

    The command gets a process group of its own: when this program is killed while the command is paused, the
    kernel ends the command.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command,
        stdin=pipe if isinstance(stdin, str) else stdin,
        stdout=into or pipe,
        stderr=pipe,
        text=True,
        errors="replace",  # pgBackRest prints what a wrong key makes of a file
        env={**os.environ, **(env or {})},
        preexec_fn=drop_privileges(user, nice),  # noqa: PLW1509 - the program has one thread
        process_group=0,
        cwd="/",
    ) as process:
        text = stdin if isinstance(stdin, str) else None
        output, errors = _throttled(process) if throttled else process.communicate(text)
    if process.returncode:
        raise FailedError(f"{command[0]} {_subcommand(command)}: {last_lines((output or '') + errors)}")
    return output or ""


def _throttled(process: subprocess.Popen[str]) -> tuple[str, str]:
    while True:
        try:
            return process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            _pause(process.pid)


def _pause(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGSTOP)
        time.sleep(PAUSE_SECONDS)
        os.killpg(group, signal.SIGCONT)


def drop_privileges(user: str, nice: int = 0) -> Callable[[], None]:
    """For ``preexec_fn``: become ``user``, and the first process to be ended when memory runs out."""
    row = pwd.getpwnam(user)

    def become() -> None:
        os.nice(nice)
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)
        if os.getuid() == 0 and row.pw_uid:
            os.setgroups([])
            os.setgid(row.pw_gid)
            os.setuid(row.pw_uid)

    return become


def _subcommand(command: Sequence[str]) -> str:
    known = (word for word in command[1:] if word in SUBCOMMANDS)
    return next(known, next((word for word in command[1:] if not word.startswith("-")), ""))


def last_lines(text: str) -> str:
    """The last errors of a program's output, else its last lines; at most 600 characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or "FATAL" in line or "Fatal" in line]
    return " ".join((errors or lines)[-3:])[-600:] or "no reason given"


@contextmanager
def exclusive() -> Iterator[None]:
    """One backup, drill or clean-up at a time; the lock ends with its process."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

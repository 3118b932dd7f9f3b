"""Calls the programs that do the work, and says why when one fails."""

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

LOCK = Path("/tmp/pgbackrest/labelspace.lock")  # noqa: S108 - inside the container
FIRST_TO_GO = "1000"
"""The kernel ends a backup before it ends the database when the container runs out of memory."""
YIELDING = 15
"""Niceness of what copies: whoever annotates goes first, and on a busy machine a backup takes longer."""
WORKS_SECONDS, RESTS_SECONDS = 0.05, 0.15
"""Disks know no niceness: what copies ``gently`` rests most of the time, so that commits wait less."""


class FailedError(Exception):
    """A step failed; the message says which, and what the program said."""


def run(
    command: Sequence[str],
    *,
    user: str = "postgres",
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    niceness: int = 0,
    gently: bool = False,
) -> str:
    """Run ``command`` as ``user`` and return what it printed; raises ``FailedError`` with its last words.

    In a group of its own: when this program is killed while that one rests, the kernel ends it.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
        errors="replace",  # pgBackRest shows what a wrong key makes of a file
        env={**os.environ, **(env or {})},
        preexec_fn=becoming(user, niceness),  # noqa: PLW1509 - the program has one thread
        process_group=0,
        cwd=cwd or "/",
    ) as process:
        said, complained = _gently(process) if gently else process.communicate(stdin)
    if process.returncode:
        raise FailedError(f"{command[0]} {_verb(command)}: {_last_words(said + complained)}")
    return said


def _gently(process: subprocess.Popen[str]) -> tuple[str, str]:
    while True:
        try:
            return process.communicate(timeout=WORKS_SECONDS)
        except subprocess.TimeoutExpired:
            _rest(process.pid)


def _rest(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGSTOP)
        time.sleep(RESTS_SECONDS)
        os.killpg(group, signal.SIGCONT)


def becoming(user: str, niceness: int = 0) -> Callable[[], None]:
    """What a child does before its program starts: become ``user``, first to go when memory is short."""
    row = pwd.getpwnam(user)

    def become() -> None:
        os.nice(niceness)
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
        if os.getuid() == 0 and row.pw_uid:
            os.setgroups([])
            os.setgid(row.pw_gid)
            os.setuid(row.pw_uid)

    return become


def _verb(command: Sequence[str]) -> str:
    return next((word for word in command[1:] if not word.startswith("-")), "")


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or "FATAL" in line or "Fatal" in line]
    return " ".join((errors or lines)[-3:])[-600:]


@contextmanager
def alone() -> Iterator[None]:
    """One backup, drill or clean-up at a time; the lock ends with its process."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

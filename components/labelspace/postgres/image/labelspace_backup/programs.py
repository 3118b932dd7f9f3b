"""Calls the programs that do the work, and says why when one fails."""

from __future__ import annotations

import fcntl
import os
import pwd
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

LOCK = Path("/tmp/pgbackrest/labelspace.lock")  # noqa: S108 - inside the container
FIRST_TO_GO = "1000"
"""The kernel ends a backup before it ends the database when the container runs out of memory."""


class FailedError(Exception):
    """A step failed; the message says which, and what the program said."""


def run(
    command: Sequence[str],
    *,
    user: str = "postgres",
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run ``command`` as ``user`` and return what it printed; raises ``FailedError`` with its last words."""
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",  # pgBackRest shows what a wrong key makes of a file
        check=False,
        env={**os.environ, **(env or {})},
        preexec_fn=becoming(user),
        cwd=cwd or "/",
    )
    if done.returncode:
        raise FailedError(f"{command[0]} {_verb(command)}: {_last_words(done.stdout + done.stderr)}")
    return done.stdout


def becoming(user: str) -> Callable[[], None]:
    """What a child does before its program starts: become ``user``, first to go when memory is short."""
    row = pwd.getpwnam(user)

    def become() -> None:
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

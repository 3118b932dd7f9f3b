"""A scratch PostgreSQL on the server, for a dump to be restored into."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import record
from .programs import FailedError, run

CVAT = ("--username=cvat", "--dbname=cvat")
PATIENCE_SECONDS = 300
Inside = tuple[str, ...]
"""How a program is run in its container."""


@contextmanager
def database(image: str, network: str = "none") -> Iterator[Inside]:
    """A fresh one, which goes afterwards with all that was in it; it trusts whoever ``network`` lets in."""
    name = f"labelspace-scratch-{os.getpid()}"
    trust = ("--env=POSTGRES_USER=cvat", "--env=POSTGRES_HOST_AUTH_METHOD=trust")
    reached = (f"--network={network}", *([] if network == "none" else ["--network-alias=scratch"]))
    try:
        run("docker", "run", "--detach", f"--name={name}", *reached, *trust, image)
        inside = ("docker", "exec", "--interactive", name)
        _wait(inside)
        yield inside
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, check=False)


def restore(inside: Inside, dump: Path) -> None:
    """Everything of a dump; raises ``FailedError`` at the first error."""
    with dump.open("rb") as file:
        options = ("--no-owner", "--no-acl", "--exit-on-error")
        run(*inside, "pg_restore", *CVAT, *options, stdin=file)


def ask(inside: Inside) -> record.Ask:
    """How it answers SQL."""
    return lambda sql: run(*inside, *record.PSQL, *CVAT, "--command", sql)


def _wait(inside: Inside) -> None:
    """Over TCP: the server that only prepares the files takes no such connections."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    ready = [*inside, "pg_isready", "--quiet", "--host=127.0.0.1"]
    while subprocess.run(ready, capture_output=True, check=False).returncode:
        run(*inside, "true")
        if time.monotonic() > deadline:
            raise FailedError(f"the scratch database did not start in {PATIENCE_SECONDS} s")
        time.sleep(1)

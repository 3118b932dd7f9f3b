"""Runs the commands of the set-up: quiet when they work, their last lines when they don't."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labelspace.home import Home


class SetupError(Exception):
    """The surroundings cannot be made; the message says what to do."""


def say(message: str) -> None:
    """Progress, on standard error."""
    print(f"testbed: {message}", file=sys.stderr, flush=True)


def run(
    command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None, stdin: str = ""
) -> str:
    """Run ``command`` and return its output; raises ``SetupError`` with the last lines when it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise SetupError(f"`{' '.join(command[:6])}` failed with {done.returncode}:\n{tail}")
    return done.stdout


def works(command: list[str], *, timeout: float = 60, env: dict[str, str] | None = None) -> bool:
    """Whether ``command`` can be run and succeeds within ``timeout`` seconds."""
    try:
        done = subprocess.run(
            command, env={**os.environ, **(env or {})}, capture_output=True, timeout=timeout, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def timed(what: str) -> _Timed:
    """Say what begins, and how long it took."""
    return _Timed(what)


class _Timed:
    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.start = time.monotonic()
        say(f"{self.what} ...")

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            say(f"{self.what}: {time.monotonic() - self.start:.0f} s")


def fingerprint(*inputs: Path | str) -> str:
    """A short hash of texts, files and folders: equal inputs need no second build."""
    digest = hashlib.sha256()
    for item in inputs:
        for path in _files(item):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        if isinstance(item, str):
            digest.update(item.encode() + b"\0")
    return digest.hexdigest()[:16]


def _files(item: Path | str) -> list[Path]:
    if isinstance(item, str):
        return []
    if item.is_file():
        return [item]
    return sorted(path for path in item.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


@contextmanager
def exclusive(home: Home, name: str) -> Iterator[None]:
    """Hold the lock ``name`` of ``home``: what two processes prepare, the second one finds ready."""
    folder = home.root / "testbed" / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


_APT = threading.Lock()
APT_GET = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=600")


def apt_install(*packages: str) -> None:
    """Install Debian packages; raises ``SetupError`` where that is not possible."""
    if os.geteuid() != 0:
        raise SetupError(f"run as root, or install by hand: {' '.join(packages)}")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    install = [*APT_GET, "install", "-y", "--no-install-recommends", *packages]
    with _APT:
        if not works(install, timeout=900, env=env):
            run([*APT_GET, "update"], env=env)
            run(install, env=env)

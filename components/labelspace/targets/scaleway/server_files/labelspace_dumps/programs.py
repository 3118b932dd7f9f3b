"""Calls the programs that do the work, and says why when one fails."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import IO

SETTINGS = Path("/etc/labelspace/boot.env")
WORK = Path("/var/lib/labelspace")
"""On the data volume: a dump has room there."""
RCLONE = ("rclone", "--config", "/run/labelspace/rclone.conf")
NO_FOLDER = 3
"""What rclone ends with when nothing is under a prefix."""


class FailedError(Exception):
    """A step failed; the message says which, and what the program said."""


def settings() -> dict[str, str]:
    """What the server was told at its first boot."""
    lines = SETTINGS.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line)


def run(*command: str, stdin: IO[bytes] | int = subprocess.DEVNULL, into: IO[bytes] | None = None) -> str:
    """What a program prints, unless that goes ``into`` a file; raises ``FailedError`` with its last words."""
    out = into or subprocess.PIPE
    done = subprocess.run(command, stdin=stdin, stdout=out, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise FailedError(f"{_called(command)}: {_last_words(done.stderr)}")
    return "" if into else done.stdout.decode()


def fetch(known: dict[str, str], path: str, into: Path) -> None:
    """Copy an object of the backup bucket."""
    run(*RCLONE, "copyto", remote(known, path), str(into))


def put(known: dict[str, str], file: Path, path: str) -> None:
    """Copy a file into the backup bucket, whole or not at all."""
    run(*RCLONE, "copyto", str(file), remote(known, path))


def names(known: dict[str, str], folder: str) -> list[str]:
    """The objects of a folder of the backup bucket, sorted by name; none when there is no folder."""
    return sorted(_of_folder("lsf", "--files-only", remote(known, folder)))


def lines(known: dict[str, str], folder: str) -> list[str]:
    """The lines of all objects of a folder; none when there is no folder."""
    return _of_folder("cat", remote(known, folder))


def remote(known: dict[str, str], path: str) -> str:
    """A place in the backup bucket, as rclone calls it."""
    return f"storage:{known['BACKUP_BUCKET']}/{path}"


def _of_folder(*words: str) -> list[str]:
    done = subprocess.run([*RCLONE, *words], capture_output=True, check=False)
    if done.returncode not in (0, NO_FOLDER):
        raise FailedError(f"{_called((*RCLONE, *words))}: {_last_words(done.stderr)}")
    return done.stdout.decode().splitlines() if done.returncode == 0 else []


def _called(command: tuple[str, ...]) -> str:
    """What a person knows it by: rclone's and docker's own words and paths say nothing to them."""
    known = ("copyto", "lsf", "cat", "pg_dump", "pg_restore", "psql", "run", "rm")
    return f"{command[0]} {next((word for word in command[1:] if word in known), '')}".strip()


def _last_words(said: bytes) -> str:
    found = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return " ".join(found[-2:])[-600:] or "no reason given"

"""One command at a time on a workspace; locks end with their process, however it ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError

if TYPE_CHECKING:
    from pulumi import automation as auto


@contextmanager
def hold(home: Home, name: str, verb: str) -> Iterator[None]:
    """Hold the workspace for ``verb``; raises ``OpsError`` when another command does."""
    home.locks.mkdir(parents=True, exist_ok=True)
    with (home.locks / f"{name}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OpsError(
                f"{name}: another labelspace command is {busy(home, name)} it: wait for its end"
            ) from None
        file.truncate(0)
        file.write(verb)
        file.flush()
        yield
        file.truncate(0)


def busy(home: Home, name: str) -> str:
    """What a running command does to the workspace (``creating``, ``deleting``); empty for nothing."""
    path = home.locks / f"{name}.lock"
    if not path.exists():
        return ""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return file.read()
    return ""


def clear_stale(home: Home, stack: auto.Stack) -> None:
    """Take away the lock of an engine that was killed; raises ``OpsError`` for one that still runs."""
    for path in (home.state / ".pulumi" / "locks").rglob(f"{stack.name}/*.json"):
        owner = _owner(path)
        if owner and _alive(owner):
            raise OpsError(f"{stack.name}: Pulumi (process {owner}) works on it: wait for its end")
        stack.cancel()
        return


def _owner(path: Path) -> int:
    try:
        return int(json.loads(path.read_text())["pid"])
    except (OSError, ValueError, KeyError):
        return 0


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

"""File locks: one command at a time changes a workspace; the lock ends with its process, killed or not."""

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
    """Lock the workspace while ``verb`` (``creating``, ``deleting``) is done to it.

    Raises ``OpsError`` when another command holds the lock.
    """
    home.locks.mkdir(parents=True, exist_ok=True)
    with (home.locks / f"{name}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OpsError(
                f"{name}: another labelspace command is {busy(home, name)} it: wait until that command ends"
            ) from None
        file.truncate(0)
        file.write(verb)
        file.flush()
        yield
        file.truncate(0)


def busy(home: Home, name: str) -> str:
    """What the command that holds the lock does (``creating``, ``deleting``); empty when none holds it."""
    path = home.locks / f"{name}.lock"
    if not path.exists():
        return ""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return file.read()
    return ""


def clear_stale(state: Path | None, stack: auto.Stack) -> None:
    """Remove the lock that a killed Pulumi process left in the folder ``state``; None: it is in a bucket.

    Raises ``OpsError`` when the process that holds the lock still runs.
    """
    if state is None:
        return
    for path in (state / ".pulumi" / "locks").rglob(f"{stack.name}/*.json"):
        owner = _lock_owner(path)
        if owner and _is_running(owner):
            raise OpsError(f"{stack.name}: Pulumi (process {owner}) is updating it: wait until it ends")
        stack.cancel()
        return


def _lock_owner(path: Path) -> int:
    try:
        return int(json.loads(path.read_text())["pid"])
    except (OSError, ValueError, KeyError):
        return 0


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

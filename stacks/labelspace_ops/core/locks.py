"""File locks: one command at a time changes a workspace; the lock ends with its process, killed or not.

A command that changes a workspace holds its lock alone. Backups and drills share it: they may run at once,
and no command may change the workspace meanwhile. Who holds it is in ``$LABELSPACE_HOME/locks/<workspace>``,
a file for each holder; the lock itself counts, so a file that a killed process left means nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from pydantic import ValidationError

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.models import JsonModel
from labelspace_ops.core.waiting import wait_until

if TYPE_CHECKING:
    from pulumi import automation as auto


LOCK_SECONDS = 1.0
"""How long a lock is tried: a status holds it for a moment, to see whether somebody else does."""


class Holder(JsonModel):
    """A command that holds the lock of a workspace."""

    verb: str
    """What it does: ``creating``, ``backing up``."""
    process: int
    """Its process id."""
    command: str
    """As it was typed, without options."""
    since: str
    """ISO 8601, UTC."""

    @classmethod
    def of_this_process(cls, verb: str) -> Self:
        """Describe this process."""
        words = [word for word in sys.argv[1:4] if not word.startswith("-")]
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return cls(verb=verb, process=os.getpid(), command=" ".join(["labelspace", *words]), since=now)

    def __str__(self) -> str:
        return f"{self.verb} it since {self.since} (`{self.command}`, process {self.process})"


@contextmanager
def hold(home: Home, name: str, verb: str, *, shared: bool = False) -> Iterator[None]:
    """Lock the workspace while ``verb`` (``creating``, ``deleting``) is done to it.

    ``shared``: other shared holders may work at the same time. Raises ``OpsError``, which names the holder,
    when another command holds the lock.
    """
    folder = home.locks / name
    folder.mkdir(parents=True, exist_ok=True)
    with (home.locks / f"{name}.lock").open("a+") as file:
        wait_until(
            lambda: _try_lock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX),
            timeout=LOCK_SECONDS,
            interval=0.05,
            on_timeout=lambda: f"{name}: {_described(home, name)}: wait until that command ends",
        )
        entry = folder / f"{os.getpid()}-{secrets.token_hex(4)}.json"
        entry.write_text(json.dumps(Holder.of_this_process(verb).as_json()))
        try:
            yield
        finally:
            entry.unlink(missing_ok=True)


def _try_lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def busy(home: Home, name: str) -> str:
    """What the command that changes the workspace does (``creating``, ``deleting``); empty for none.

    Backups and drills do not count: the workspace serves meanwhile.
    """
    path = home.locks / f"{name}.lock"
    if not path.exists():
        return ""
    with path.open() as file:
        if _try_lock(file, fcntl.LOCK_SH):
            return ""
    return next((one.verb for one in holders(home, name)), "changing")


def holders(home: Home, name: str) -> list[Holder]:
    """Return the commands that say that they hold the lock and whose process runs."""
    found = []
    for path in sorted((home.locks / name).glob("*.json")):
        try:
            holder = Holder.model_validate_json(path.read_text())
        except (OSError, ValidationError):  # it ended meanwhile, or just begins
            continue
        found += [holder] if _is_running(holder.process) else []
    return found


def _described(home: Home, name: str) -> str:
    found = holders(home, name)
    if not found:
        return "another labelspace command works on it"
    return f"another labelspace command is {' and '.join(map(str, found))}"


def clear_stale(state: Path | None, stack: auto.Stack) -> None:
    """Remove the lock that a killed Pulumi process left in the folder ``state``; None: it is in a bucket.

    Raises ``OpsError`` when the process that holds the lock still runs.
    """
    if state is None:
        return
    for path in (state / ".pulumi" / "locks").rglob(f"{stack.name}/*.json"):
        owner, since = _lock_owner(path)
        if owner and _is_running(owner):
            raise OpsError(
                f"{stack.name}: Pulumi (process {owner}) is updating it since {since}: wait until it ends"
            )
        stack.cancel()
        return


def _lock_owner(path: Path) -> tuple[int, str]:
    """Return the process and the time of Pulumi's lock; 0 when the file cannot be read."""
    try:
        values = json.loads(path.read_text())
        return int(values["pid"]), str(values.get("timestamp", ""))
    except (OSError, ValueError, KeyError):
        return 0, ""


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

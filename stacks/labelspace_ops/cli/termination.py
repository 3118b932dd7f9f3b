"""SIGTERM, as ``timeout`` and systemd send it: the Pulumi that the command runs ends first, in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

_asked: list[bool] = []
"""Not empty once this process was asked to end."""


def end_children_first() -> None:
    """From now on SIGTERM asks the programs that this process runs to end; a second one ends it at once.

    Pulumi finishes what it began, writes its state and fails, and so does the command. A Pulumi whose command
    was killed would go on alone.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)


def remember() -> None:
    """Note that this process was asked to end."""
    _asked.append(True)


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    remember()
    children = _children()
    if not children:
        raise KeyboardInterrupt
    for one in children:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGINT)


def _children() -> list[int]:
    """Return the process ids of the children; none where ``pgrep`` is missing."""
    try:
        found = subprocess.run(["pgrep", "-P", str(os.getpid())], capture_output=True, text=True, check=False)
    except OSError:
        return []
    return [int(line) for line in found.stdout.split()]


def leave(code: int) -> None:
    """End this process; after an interruption without its threads, one of which may wait for a URL."""
    if _asked:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 1)
    if code:
        sys.exit(code)

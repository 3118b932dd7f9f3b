"""Prints events on standard error; on a terminal, the progress of pulls updates one line."""

from __future__ import annotations

import shutil
import sys
import time

from labelspace_ops.cli.app import print_event, prints_json, say
from labelspace_ops.core.reporting import Event, PullProgress, to_line

PLAIN_SECONDS = 15.0
"""Between two lines of a pull's progress where standard error is no terminal."""


class Terminal:
    """A listener of events."""

    def __init__(self, *, is_tty: bool) -> None:
        self._is_tty = is_tty
        self._has_line = False
        self._printed = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Print the event."""
        if isinstance(event, PullProgress) and not prints_json():
            self._progress(to_line(event))
        else:
            self._clear()
            print_event(event)

    def _progress(self, line: str) -> None:
        if self._is_tty:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{line[:width]}")
            sys.stderr.flush()
            self._has_line = True
        elif time.monotonic() - self._printed >= PLAIN_SECONDS:
            self._printed = time.monotonic()
            say(line)

    def _clear(self) -> None:
        """Erase the line that is updated, so that the next one takes its place."""
        if self._has_line:
            sys.stderr.write("\r\x1b[K")
            self._has_line = False

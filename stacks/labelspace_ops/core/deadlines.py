"""Measurements with a deadline each, side by side: what hangs is reported, and nothing waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from threading import Thread
from typing import Generic, TypeVar

from labelspace_ops.core.checks import Check, failed
from labelspace_ops.core.errors import OpsError

T = TypeVar("T")
ANSWER_SECONDS = 5.0
"""For a measurement that asks for something that is known there."""
WORK_SECONDS = 8.0
"""For a measurement that makes the other side work: CVAT's health, the backup program."""
TOTAL_SECONDS = 9.0
"""For all measurements of one status."""


class NoAnswerError(OpsError):
    """A measurement did not end before its deadline."""


class Pending(Generic[T]):
    """A measurement that runs in a thread of its own; the process can end while it hangs."""

    def __init__(self, work: Callable[[], T], seconds: float) -> None:
        self._seconds, self._deadline = seconds, time.monotonic() + seconds
        self._future: Future[T] = Future()
        Thread(target=self._run, args=(work,), daemon=True).start()

    def _run(self, work: Callable[[], T]) -> None:
        try:
            self._future.set_result(work())
        except BaseException as error:
            self._future.set_exception(error)

    def result(self) -> T:
        """Wait for the result; raises ``NoAnswerError`` at the deadline, and what the measurement raised."""
        try:
            return self._future.result(max(0.0, self._deadline - time.monotonic()))
        except FutureTimeoutError:
            if self._future.done():  # the measurement itself raised a timeout
                raise
            raise NoAnswerError(f"no answer in {self._seconds:.0f} s") from None

    def result_or(self, default: T, name: str, checks: list[Check]) -> T:
        """The result; after an ``OpsError``, ``default``, and a failed check with its reason."""
        try:
            return self.result()
        except OpsError as error:
            checks.append(failed(name, str(error)))
            return default


def check_of(pending: Pending[Check], name: str) -> Check:
    """The check that was measured, or a failed one with the reason why it was not."""
    try:
        return pending.result()
    except OpsError as error:
        return failed(name, str(error))


class Clock:
    """Starts the measurements of one status; together they end before ``total`` seconds."""

    def __init__(self, total: float | None = None) -> None:
        self._end = time.monotonic() + (TOTAL_SECONDS if total is None else total)

    def start(self, work: Callable[[], T], seconds: float | None = None) -> Pending[T]:
        """Start a measurement; ``seconds``: its own deadline, ``ANSWER_SECONDS`` by default."""
        own = ANSWER_SECONDS if seconds is None else seconds
        return Pending(work, min(own, max(0.0, self._end - time.monotonic())))

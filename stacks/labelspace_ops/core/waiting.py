"""Waiting for a condition, with a time limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from labelspace_ops.core.errors import OpsError

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T | None],
    *,
    timeout: float,
    interval: float,
    max_interval: float = 0,
    on_timeout: str | Callable[[], str],
) -> T:
    """Call ``condition`` every ``interval`` seconds until it returns a true value, and return that value.

    With ``max_interval`` each interval is half as long again as the one before, up to ``max_interval``.
    Raises ``OpsError`` with the text of ``on_timeout`` after ``timeout`` seconds. The condition is called at
    least once, and a last time at the end of the time limit. What the condition raises is not caught.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise OpsError(on_timeout if isinstance(on_timeout, str) else on_timeout())
        time.sleep(min(interval, remaining))
        interval = max(interval, min(interval * 1.5, max_interval))
    return value

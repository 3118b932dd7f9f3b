"""Reports the pods that do not start while an update waits for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import message
from labelspace_ops.runtime.cluster import ClusterRuntime
from labelspace_ops.runtime.pods import Key, Patience
from labelspace_ops.stack import progress

POLL_SECONDS = 5.0


@contextmanager
def pods(runtime: ClusterRuntime) -> Iterator[None]:
    """Emit a ``Message``, once for each problem of a pod, when it does not start by waiting longer."""
    with progress.following(lambda over: _follow(runtime, over)):
        yield


def _follow(runtime: ClusterRuntime, over: threading.Event) -> None:
    patience, reported = Patience(), set[Key]()
    while not over.wait(POLL_SECONDS):
        try:
            found = runtime.lasting_problems(patience)
        except OpsError:  # the update itself says that the cluster does not answer
            continue
        for problem, sentence in found.items():
            if problem not in reported and not over.is_set():
                message(sentence)
        reported |= found.keys()

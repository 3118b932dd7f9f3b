"""Events of an update's progress: one for each changed resource and each step of the readiness check."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from labelspace_ops.core.reporting import ReadinessStep, ResourceDone, emit
from labelspace_ops.runtime.base import Runtime

VERBS = {
    "create": "made",
    "update": "updated",
    "replace": "replaced",
    "create-replacement": "replaced",
    "delete": "removed",
}
POLL_SECONDS = 0.5
STEP_PREFIX = "readiness: "
"""How a line of the readiness check's log that reports a step begins: ``readiness: STEP: DETAIL``."""
RETAINED = (":Volume", ":RemoteImage", ":RandomPassword", ":CvatProject")
"""Types of resources that stay when they are deleted from the state."""


class Resources:
    """Counts the resources that an update has changed; pass ``on_event`` to Pulumi."""

    def __init__(self) -> None:
        self.done = 0

    def on_event(self, event: Any) -> None:
        """Emit ``ResourceDone`` when the event of Pulumi's engine is about a changed resource."""
        outputs = event.res_outputs_event
        if outputs is None or outputs.planning:
            return
        metadata = outputs.metadata
        operation = str(metadata.op.value if hasattr(metadata.op, "value") else metadata.op)
        if operation in VERBS and not _is_hidden(operation, metadata.type):
            self.done += 1
            name = metadata.urn.rsplit("::", 1)[-1]
            emit(ResourceDone(self.done, metadata.type.rsplit(":", 1)[-1].lower(), name, VERBS[operation]))


def _is_hidden(operation: str, resource_type: str) -> bool:
    """Whether nothing real changes: components are only names, and retained resources are not removed."""
    is_component = resource_type.startswith(("labelspace:", "pulumi:"))
    return is_component or (operation == "delete" and resource_type.endswith(RETAINED))


@contextmanager
def gate(runtime: Runtime) -> Iterator[None]:
    """Emit ``ReadinessStep`` for each step that the workspace's readiness check logs in this context."""
    log = _GateLog(runtime)
    with following(lambda over: _follow(log, over)):
        yield


@contextmanager
def following(follow: Callable[[threading.Event], None]) -> Iterator[None]:
    """Call ``follow`` in a thread of its own; its event is set at the end of this context."""
    over = threading.Event()
    follower = threading.Thread(target=follow, args=(over,), daemon=True)
    follower.start()
    try:
        yield
    finally:
        over.set()
        follower.join(timeout=5)


def _follow(log: _GateLog, over: threading.Event) -> None:
    """The last lines may be written just before the end, so they are read once more after it."""
    while not over.wait(POLL_SECONDS):
        log.emit_new_steps()
    log.emit_new_steps()


class _GateLog:
    """The log of the readiness check's container from now on; an update may replace the container."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._read: dict[str, int] = {}
        self._new_lines()

    def emit_new_steps(self) -> None:
        for line in self._new_lines():
            if line.startswith(STEP_PREFIX):
                step, _, detail = line.removeprefix(STEP_PREFIX).partition(": ")
                emit(ReadinessStep(step, detail))

    def _new_lines(self) -> list[str]:
        """The complete lines since the last call; none while there is no container."""
        log = self._runtime.read_log("readiness")
        if log is None:
            return []
        *lines, _ = log.text.split("\n")
        start = self._read.get(log.instance, 0)
        self._read[log.instance] = len(lines)
        return lines[start:]

"""Progress on standard error: a line for each resource as it is done, then one for each gate step."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
from docker.errors import DockerException

from labelspace_ops.core.reporting import ReadinessStep, ResourceDone, emit

VERBS = {
    "create": "made",
    "update": "updated",
    "replace": "replaced",
    "create-replacement": "replaced",
    "delete": "removed",
}
GATE_POLL_SECONDS = 0.5


class Resources:
    """Counts and names what an update has done; hand ``on_event`` to Pulumi."""

    def __init__(self) -> None:
        self.done = 0

    def on_event(self, event: Any) -> None:
        """Print a line for a resource that was changed."""
        outputs = event.res_outputs_event
        if outputs is None or outputs.planning:
            return
        kind = str(
            outputs.metadata.op.value if hasattr(outputs.metadata.op, "value") else outputs.metadata.op
        )
        if kind in VERBS and not _kept(kind, outputs.metadata.type):
            self.done += 1
            name = outputs.metadata.urn.rsplit("::", 1)[-1]
            what = outputs.metadata.type.rsplit(":", 1)[-1].lower()
            emit(ResourceDone(self.done, what, name, VERBS[kind]))


def _kept(kind: str, resource_type: str) -> bool:
    """Components are names only; a volume, image or project of CVAT that a stack lets go of stays."""
    held = (":Volume", ":RemoteImage", ":RandomPassword", ":CvatProject")
    stays = resource_type.endswith(held) and kind == "delete"
    return stays or resource_type.startswith(("labelspace:", "pulumi:"))


@contextmanager
def gate(client: docker.DockerClient, name: str) -> Iterator[None]:
    """Follow the gate's log while an update runs."""
    over = threading.Event()
    follower = threading.Thread(target=_follow, args=(client, name, over), daemon=True)
    follower.start()
    try:
        yield
    finally:
        over.set()
        follower.join(timeout=5)


def _follow(client: docker.DockerClient, name: str, over: threading.Event) -> None:
    """The gate appears late in an update, and a replaced one is another container."""
    seen: dict[str, int] = {}
    while True:
        last = over.is_set()
        try:
            one = client.containers.get(f"labelspace-{name}-readiness")
            begun = one.attrs["State"]["StartedAt"]
            lines = one.logs().decode(errors="replace").splitlines()
        except DockerException:
            begun, lines = "", []
        for line in lines[seen.get(begun, 0) :] if _recent(begun) else []:
            if line.startswith("readiness: "):
                step, _, detail = line.removeprefix("readiness: ").partition(": ")
                emit(ReadinessStep(step, detail))
        seen[begun] = len(lines)
        if last:
            return
        time.sleep(GATE_POLL_SECONDS)


_STARTED = time.time()


def _recent(begun: str) -> bool:
    """Whether the gate was started by this command, not by one of yesterday."""
    try:
        return begun[:19] >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(_STARTED))
    except TypeError:
        return False

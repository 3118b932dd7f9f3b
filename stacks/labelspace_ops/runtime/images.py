"""Pulls images through the engine's API: several at once, with progress and with reasons.

The engine downloads, checks and unpacks; it resumes a layer whose connection broke. Credentials are those of
``docker login``: docker-py reads them from the same file.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound

from labelspace.cvat.images import platform
from labelspace_ops.core.reporting import (
    ImagePull,
    PullProgress,
    emit,
    format_seconds,
    megabytes,
    message,
)
from labelspace_ops.runtime.pull_errors import PullError, Reason, pull_error

PARALLEL_PULLS = 4
ATTEMPTS = 3
"""Pulls of one image whose layers arrive damaged or cut; the engine itself tries each layer five times."""
INTERVAL_SECONDS = 1.0
WINDOW_SECONDS = 30.0
"""The speed is that of this time."""


def missing(client: docker.DockerClient, names: Iterable[str]) -> list[str]:
    """Return the images that the engine lacks, each once."""
    return [name for name in dict.fromkeys(names) if not is_present(client, name)]


def is_present(client: docker.DockerClient, name: str) -> bool:
    """Return whether the engine has the image."""
    return bool(image_id(client, name))


def image_id(client: docker.DockerClient, name: str) -> str:
    """Return the ID, ``sha256:...``, of the image that has the name now; empty for none."""
    try:
        return str(client.images.get(name).id)
    except ImageNotFound:
        return ""


def ensure(client: docker.DockerClient, names: Iterable[str]) -> None:
    """Pull the images that the engine lacks; raises ``PullError`` after every other image was pulled."""
    if wanted := missing(client, names):
        message(f"pulling {len(wanted)} image{'s' if len(wanted) > 1 else ''}: {', '.join(wanted)}")
        _Pulls(client, wanted).run()


@dataclass
class Layer:
    """Bytes of one layer."""

    received: int = 0
    size: int = 0
    is_known: bool = False
    """Whether the engine has reported its size, or has the layer already."""


@dataclass
class Pull:
    """How far the pull of one image is, by the records of the engine's stream."""

    name: str
    layers: dict[str, Layer] = field(default_factory=dict)
    state: str = "waiting"
    begun: float = 0.0

    def apply(self, record: Mapping[str, Any]) -> None:
        """Count what a record says; a stream with an error ends before its record comes here."""
        if self.state == "waiting":
            self.state = "downloading"
        layer, status = str(record.get("id", "")), str(record.get("status", ""))
        if status in ("Pulling fs layer", "Waiting"):
            self.layers.setdefault(layer, Layer())
        elif layer in self.layers:
            self._count(self.layers[layer], status, record.get("progressDetail") or {})

    def _count(self, layer: Layer, status: str, detail: Mapping[str, Any]) -> None:
        current, total = int(detail.get("current") or 0), int(detail.get("total") or 0)
        if status == "Downloading" and total > 0:
            layer.size, layer.is_known = max(layer.size, total), True
            layer.received = layer.size - total + current  # a resumed layer counts its rest alone
        elif status in ("Download complete", "Extracting", "Pull complete"):
            layer.size, layer.is_known = layer.size or total, True
            layer.received = layer.size
        if status == "Extracting" and all(one.received == one.size for one in self.layers.values()):
            self.state = "unpacking"

    @property
    def received(self) -> int:
        """Bytes so far."""
        return sum(layer.received for layer in self.layers.values())

    @property
    def size(self) -> int:
        """Bytes of the layers whose size is known."""
        return sum(layer.size for layer in self.layers.values())

    def progress(self) -> ImagePull:
        """As it is reported."""
        is_known = self.state == "done" or (
            bool(self.layers) and all(one.is_known for one in self.layers.values())
        )
        return ImagePull(self.name, self.state, self.received, self.size, is_known)


_Change = tuple[str, Mapping[str, Any] | PullError | None]
"""Name of an image with a record of its stream, or with its error, or with None at its end."""


class _Pulls:
    """Pulls of several images: threads read the engine's streams, the calling thread counts and reports.

    The threads are daemons: an interrupted command ends at once, and the engine drops its pulls.
    """

    def __init__(self, client: docker.DockerClient, names: list[str]) -> None:
        self._client = client
        self._pulls = {name: Pull(name) for name in names}
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._changes: queue.SimpleQueue[_Change] = queue.SimpleQueue()
        self._errors: list[PullError] = []
        self._open = len(names)
        self._speed = Speed()
        self._reported = time.monotonic()

    def run(self) -> None:
        for name in self._pulls:
            self._waiting.put(name)
        for _ in range(min(PARALLEL_PULLS, len(self._pulls))):
            threading.Thread(target=self._read, daemon=True).start()
        while self._open:
            with suppress(queue.Empty):
                self._take(*self._changes.get(timeout=INTERVAL_SECONDS))
            if time.monotonic() - self._reported >= INTERVAL_SECONDS:
                self._report()
        if self._errors:
            raise min(self._errors, key=lambda error: list(Reason).index(error.reason))

    def _take(self, name: str, change: Mapping[str, Any] | PullError | None) -> None:
        pull = self._pulls[name]
        pull.begun = pull.begun or time.monotonic()
        if isinstance(change, PullError):
            self._errors.append(change)
            self._open -= 1
        elif change is None:
            pull.state = "done"
            self._open -= 1
            took = format_seconds(time.monotonic() - pull.begun)
            message(f"  pulled {name}: {megabytes(pull.size)} MB in {took}")
        else:
            pull.apply(change)

    def _report(self) -> None:
        self._reported = time.monotonic()
        pulls = list(self._pulls.values())
        received, size = sum(pull.received for pull in pulls), sum(pull.size for pull in pulls)
        left = self._speed.seconds_left(self._reported, received, size)
        emit(PullProgress(tuple(pull.progress() for pull in pulls), left))

    def _read(self) -> None:
        """Pull one image after the other."""
        while True:
            try:
                name = self._waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self._pull(name)
                self._changes.put((name, None))
            except PullError as error:
                self._changes.put((name, error))

    def _pull(self, name: str) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._stream(name)
            except PullError as error:
                if error.reason is not Reason.INTERRUPTED or attempt == ATTEMPTS:
                    raise
            else:
                return

    def _stream(self, name: str) -> None:
        try:
            for record in self._client.api.pull(name, stream=True, decode=True, platform=platform(name)):
                if "error" in record:
                    raise pull_error(name, str(record["error"]))
                self._changes.put((name, record))
        except (DockerException, OSError) as error:  # requests' errors are OSErrors
            raise pull_error(name, getattr(error, "explanation", None) or str(error)) from None


class Speed:
    """How fast bytes came in the last ``WINDOW_SECONDS``."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def seconds_left(self, now: float, received: int, size: int) -> int | None:
        """Seconds until ``size`` bytes are there; None before there is a speed."""
        self._samples.append((now, received))
        while now - self._samples[0][0] > WINDOW_SECONDS:
            self._samples.popleft()
        then, before = self._samples[0]
        if received <= before or now <= then:
            return None
        return round((size - received) * (now - then) / (received - before))

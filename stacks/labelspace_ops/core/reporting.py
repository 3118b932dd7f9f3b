"""Typed progress events: domain code emits them; the command line, jobs and the console render them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True)
class Message(Event):
    """One line of progress or a warning, for people."""

    text: str


@dataclass(frozen=True)
class ResourceDone(Event):
    """Pulumi has changed one resource; ``count`` is how many so far in this update."""

    count: int
    kind: str
    name: str
    action: str
    """``made``, ``updated``, ``replaced`` or ``removed``."""


@dataclass(frozen=True)
class ReadinessStep(Event):
    """The readiness check works on a step: ``health``, ``admin``, ``login``, ``workers``, ``archive``."""

    step: str
    detail: str


class ImagePull(NamedTuple):
    """How far the pull of one image is; sizes in bytes, compressed, of the layers that the engine lacked."""

    image: str
    state: str
    """``waiting``, ``downloading``, ``unpacking`` or ``done``."""
    received: int
    size: int
    """Of the layers whose size the engine knows by now."""
    size_is_known: bool
    """Whether these are all layers."""


@dataclass(frozen=True)
class PullProgress(Event):
    """How far the pulls of images are; emitted at most once a second."""

    images: tuple[ImagePull, ...]
    seconds_left: int | None
    """By the speed of the last half minute; None when unknown."""

    def __post_init__(self) -> None:
        """A record of JSON holds lists."""
        object.__setattr__(self, "images", tuple(ImagePull(*image) for image in self.images))


@dataclass(frozen=True)
class Failed(Event):
    """The command failed; ``reason`` names the field, the value and the next step."""

    reason: str


KINDS: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (Message, ResourceDone, ReadinessStep, PullProgress, Failed)
}


def to_record(event: Event) -> dict[str, Any]:
    """An event as JSON values."""
    return {"type": type(event).__name__, **asdict(event)}


def from_record(record: Mapping[str, Any]) -> Event:
    """The event of a record; raises ``KeyError`` for an unknown type."""
    values = dict(record)
    return KINDS[values.pop("type")](**values)


Listener = Callable[[Event], None]
_LISTENERS: list[Listener] = []
_LOCK = threading.Lock()


def emit(event: Event) -> None:
    """Hand an event to every listener, one at a time; without a listener it is dropped."""
    with _LOCK:
        for listener in _LISTENERS:
            listener(event)


def message(text: str) -> None:
    """Emit a ``Message``."""
    emit(Message(text))


def subscribe(listener: Listener) -> None:
    """Call ``listener`` with every event until the process ends."""
    _LISTENERS.append(listener)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call ``listener`` with every event for as long as the context is open."""
    subscribe(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


def to_line(event: Event) -> str:
    """An event as one line for a terminal; empty for one that is not shown there."""
    match event:
        case Message(text):
            return text
        case ResourceDone(count, kind, name, action):
            return f"  [{count:2d}] {kind} {name}: {action}"
        case ReadinessStep(step, detail):
            return f"  readiness: {step}: {detail}"
        case PullProgress():
            return f"  {pull_summary(event)}"
        case Failed(reason):
            return f"labelspace: {reason}"
        case _:
            return ""


def pull_summary(progress: PullProgress) -> str:
    """The progress as one line: images, bytes, the time left, then each image that is under way."""
    images = progress.images
    done = sum(image.state == "done" for image in images)
    received, size = sum(image.received for image in images), sum(image.size for image in images)
    known = "" if all(image.size_is_known for image in images) else "at least "
    left = "" if progress.seconds_left is None else f", {known}{format_seconds(progress.seconds_left)} left"
    under_way = ", ".join(_pull_state(image) for image in images if image.state not in ("done", "waiting"))
    summary = (
        f"images: {done} of {len(images)} pulled, {megabytes(received)} of {known}{megabytes(size)} MB{left}"
    )
    return f"{summary}: {under_way}" if under_way else summary


def _pull_state(image: ImagePull) -> str:
    if image.state == "unpacking":
        return f"{image.image} unpacking"
    return f"{image.image} {megabytes(image.received)}/{megabytes(image.size)} MB"


def megabytes(size: int) -> str:
    """Bytes as megabytes, as registries count them."""
    return f"{size / MEGABYTE:,.1f}" if size < 10 * MEGABYTE else f"{size / MEGABYTE:,.0f}"


def format_seconds(seconds: float) -> str:
    """A duration, rounded: ``40 s``, ``3 min``."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"

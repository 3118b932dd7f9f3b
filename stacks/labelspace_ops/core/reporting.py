"""Typed progress events: domain code emits them; the command line, jobs and the console render them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any


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
    """The readiness gate works on a step: ``health``, ``admin``, ``login``, ``workers``, ``archive``."""

    step: str
    detail: str


@dataclass(frozen=True)
class Failed(Event):
    """The command failed; ``reason`` names the field, the value and the next step."""

    reason: str


KINDS: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (Message, ResourceDone, ReadinessStep, Failed)
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
        case Failed(reason):
            return f"labelspace: {reason}"
        case _:
            return ""

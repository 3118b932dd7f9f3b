"""A scratch database: how to run SQL in it."""

from __future__ import annotations

from dataclasses import dataclass

from .session import Ask


@dataclass(frozen=True)
class Scratch:
    """A database that holds a restored backup, and is removed after use."""

    ask: Ask
    socket: str = ""
    """The folder of its server's socket; empty where the server is in another container."""

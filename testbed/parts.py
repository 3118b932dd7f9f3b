"""What was set up: each part with its kind and the reason, printed as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["official", "real, built here", "stand-in"]


@dataclass(frozen=True)
class Part:
    """One part of the surroundings: ``official``, ``real, built here`` or a ``stand-in``."""

    name: str
    kind: Kind
    why: str


def print_table(parts: list[Part]) -> None:
    """Print the parts, widest column first measured."""
    name = max(len(part.name) for part in parts)
    kind = max(len(part.kind) for part in parts)
    for part in parts:
        print(f"  {part.name:<{name}}  {part.kind:<{kind}}  {part.why}")

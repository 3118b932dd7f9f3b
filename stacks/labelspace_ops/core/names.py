"""Names of files as people can read them."""

from __future__ import annotations

from collections.abc import Iterable

FEW = 5


def printable(name: str) -> str:
    """Return a name with control characters and bytes that are not UTF-8 escaped."""
    return name if name.isprintable() else name.encode("unicode_escape").decode()


def first_few(names: Iterable[str]) -> str:
    """Return the first names of a list, and how many more there are."""
    listed = [printable(name) for name in names]
    more = f" and {len(listed) - FEW} more" if len(listed) > FEW else ""
    return ", ".join(listed[:FEW]) + more

"""The lines of CVAT: what labelspace must know of each minor version, one TOML file per line.

A file may name another one with ``like`` and then says only what differs. ``state``, ``date``, ``source``,
``unknown``, ``newest``, ``entrypoints``, ``news`` and ``drops`` are always the line's own.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Values = dict[str, Any]
"""The contents of a TOML file."""
State = Literal["proven", "run", "read", "unread"]
TESTED: tuple[State, ...] = ("proven", "run")
"""States of a line that needs no ``allow_untested_cvat``."""
OWN = ("newest", "state", "date", "source", "unknown", "entrypoints", "news", "drops")
"""Keys that a line does not take over from the line that it is like."""
MEANING: dict[State, str] = {
    "proven": "the contract passed on the official image",
    "run": "the contract was run on a server built from its source",
    "read": "only its source was read",
    "unread": "labelspace knows nothing of it",
}


class Part(BaseModel):
    """A part of a line's file; other keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LeastFrom(Part):
    """The oldest version whose database the line migrates."""

    version: str
    app: str
    """A Django app that has migrations in every database of that version, and in none of an older one."""


class Drops(Part):
    """What the line's migrations remove on purpose."""

    tables: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = {}
    """Columns by table."""


class Line(Part):
    """A minor version of CVAT with its patch releases."""

    name: str
    """Such as ``2.73``."""
    newest: str
    """The newest release that is known, such as ``2.73.0``."""
    state: State
    date: dt.date
    """When the state was found."""
    source: str
    """What the file was written from."""
    unknown: str = ""
    """What is not known of the line, as a clause."""
    python: str
    """The Python of the server's image."""
    sdk: str
    """Versions of cvat-sdk that accept a server of the line."""
    entrypoints: tuple[str, ...] = ()
    """SHA-256 of each entrypoint that ``start.sh`` was checked with."""
    queues: tuple[str, ...]
    """Queues of the common worker; ``chunks`` has a worker of its own."""
    scheduled: tuple[str, ...]
    """Queues whose worker needs ``--with-scheduler``."""
    health: tuple[str, ...]
    """Parts that CVAT's health must report."""
    job_types: tuple[str, ...]
    images: Mapping[str, str]
    """Images that CVAT's compose file pins, by part."""
    turned_off: Mapping[str, str] = {}
    """The line of Django's settings that turns a feature off, by the workspace's setting."""
    reads: Mapping[str, tuple[str, ...]]
    """Columns that labelspace relies on, by table."""
    least_from: LeastFrom | None = None
    drops: Drops = Drops()
    news: tuple[str, ...] = ()
    """Changes that a user of the line before sees."""

    @property
    def tested(self) -> bool:
        """Whether the contract was run on a real server of the line."""
        return self.state in TESTED

    @property
    def flags(self) -> tuple[str, ...]:
        """Arguments of the worker that serves ``queues``."""
        return ("--with-scheduler",) if set(self.scheduled) & set(self.queues) else ()


def order(version: str) -> tuple[int, ...]:
    """The numbers of a version or of a line's name, for comparison."""
    return tuple(int(part) for part in version.split("."))


def name_of(version: str) -> str:
    """The name of a version's line."""
    return ".".join(version.split(".")[:2])


@cache
def all_lines() -> tuple[Line, ...]:
    """Every line, the oldest first."""
    return load(files(__name__))


def load(folder: Traversable) -> tuple[Line, ...]:
    """The lines of a folder of such files, the oldest first."""
    read = {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text())
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }
    return tuple(_line(name, read) for name in sorted(read, key=order))


def _line(name: str, read: Mapping[str, Values]) -> Line:
    return Line.model_validate({**_values(name, read), "name": name})


def _values(name: str, read: Mapping[str, Values]) -> Values:
    values = dict(read[name])
    if like := values.pop("like", None):
        inherited = {key: value for key, value in _values(like, read).items() if key not in OWN}
        values = {**inherited, **values}
    return values


def line_of(version: str) -> Line:
    """The line of a version; a later one than all files is the newest line with the state ``unread``."""
    name = name_of(version)
    found = next((line for line in all_lines() if line.name == name), None)
    if found:
        return found
    newest = all_lines()[-1]
    given = {"name": name, "newest": version, "state": "unread", "entrypoints": (), "drops": Drops()}
    return newest.model_copy(update={**given, "unknown": MEANING["unread"], "news": ()})


def least_version() -> str:
    """The oldest version that may be deployed."""
    return f"{all_lines()[0].name}.0"


def default_version() -> str:
    """The newest release of the newest line that is at least ``run``."""
    return max((line for line in all_lines() if line.tested), key=lambda line: order(line.name)).newest


def lines_between(old: str, new: str) -> tuple[Line, ...]:
    """The lines that an upgrade passes, without that of ``old`` and with that of ``new``."""
    first, last = order(name_of(old)), order(name_of(new))
    passed = [line for line in all_lines() if first < order(line.name) < last]
    return (*passed, *((line_of(new),) if first < last else ()))


def stops(old: str, new: str, known: Iterable[Line] | None = None) -> tuple[str, ...]:
    """Versions on the way from ``old`` to ``new``, with ``new``: a line says the oldest that it migrates.

    Raises ``ValueError`` when no line leads there.
    """
    known = tuple(known or all_lines())
    target = next((line for line in known if line.name == name_of(new)), None) or line_of(new)
    if not target.least_from or order(target.least_from.version) <= order(old):
        return (new,)
    earlier = [
        line
        for line in known
        if order(target.least_from.version) <= order(line.name) < order(name_of(new))
        and order(line.newest) > order(old)
    ]
    for line in reversed(earlier):
        if not line.least_from or order(line.least_from.version) <= order(old):
            return (line.newest, *stops(line.newest, new, known))
    raise ValueError(f"no line leads from {old} to {new}")


def removed_on_purpose(old: str, new: str) -> Drops:
    """What the migrations from ``old`` to ``new`` remove on purpose."""
    passed = lines_between(old, new)
    columns: dict[str, tuple[str, ...]] = {}
    for line in passed:
        for table, names in line.drops.columns.items():
            columns[table] = (*columns.get(table, ()), *names)
    return Drops(tables=tuple(table for line in passed for table in line.drops.tables), columns=columns)

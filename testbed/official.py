"""What the official images are (``images/official.toml``); those that are built here are like them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

TABLE = Path(__file__).parent / "images" / "official.toml"


@dataclass(frozen=True)
class Official:
    """One image: what its configuration says, and what is in its file system."""

    source: tuple[str, str, str]
    """Repository, file, and the commit that the facts come from."""
    userland: Literal["busybox", "debian", "ubuntu", "none"]
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    workdir: str = ""
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    accounts: Mapping[str, str] = field(default_factory=dict)
    """User name -> ``uid:gid``."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Path -> ``uid:gid mode``, as ``stat -c '%u:%g %a'`` prints it."""
    capabilities: Mapping[str, str] = field(default_factory=dict)
    programs: tuple[str, ...] = ()


def read() -> dict[str, Official]:
    """The table, by the names of ``labelspace.cvat.images.IMAGES``."""
    with TABLE.open("rb") as file:
        rows = tomllib.load(file)
    return {
        name: Official(**{key: _frozen(value) for key, value in row.items()}) for name, row in rows.items()
    }


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value

"""The files of a workspace's state in a folder: whether they are whole, and the copies of them.

Pulumi writes every file under a temporary name and renames it, so a killed process leaves no torn file. It
does not call fsync: after a power cut the newest files may be empty or garbled. At the end of each update
Pulumi copies the state to ``.pulumi/history`` and ``.pulumi/backups``, without a limit on their number.
``secure`` writes the newest ones to the disk and removes the oldest. Source: pkg/backend/diy of Pulumi, and
its system calls.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KEPT_COPIES = 20
"""Copies of each kind that stay for each workspace."""
URN = re.compile(rb'"urn": ?"(urn:pulumi:[^"]+)"')


@dataclass(frozen=True)
class StateCopy:
    """A whole copy of a workspace's state; its secrets may be under another passphrase."""

    path: Path
    when: datetime
    """When Pulumi wrote it, UTC."""
    resources: frozenset[str]
    """URNs."""


def state_file(folder: Path, name: str) -> Path:
    """Return the file of a workspace's state; a workspace without a state has none at this path."""
    stacks = folder / ".pulumi" / "stacks" / "labelspace"
    compressed = stacks / f"{name}.json.gz"
    return compressed if compressed.exists() else stacks / f"{name}.json"


def find_problem(file: Path) -> str:
    """Return why a file is not a whole state; empty for a whole one. Secrets are not decrypted."""
    try:
        _checkpoint(_read(file))
    except (OSError, ValueError, EOFError) as error:
        return str(error)
    return ""


def find_copies(folder: Path, name: str) -> list[StateCopy]:
    """Return the whole copies of a workspace's state, newest first."""
    files = [*_history(folder, name), *_backups(folder, name)]
    file = state_file(folder, name)
    if file.exists():  # ``pulumi stack rm`` leaves the ``.bak`` of a workspace that is gone
        files.append(file.with_name(f"{file.name}.bak"))
    found = [copy for path in files if (copy := _copy(path))]
    return sorted(found, key=lambda copy: copy.when, reverse=True)


def has_history(folder: Path, name: str) -> bool:
    """Return whether Pulumi made updates of this name; it removes the history when a stack is removed."""
    return bool(_history(folder, name))


def named_resources(file: Path) -> frozenset[str]:
    """Return the URNs that a damaged file still shows."""
    content = file.read_bytes() if file.exists() else b""
    return frozenset(urn.decode(errors="replace") for urn in URN.findall(content))


def replace(file: Path, copy: StateCopy) -> Path | None:
    """Put a copy in the place of a damaged state; return where the damaged file is now, None without one.

    Operations that were pending when the copy was written are left out: Pulumi asks about them otherwise.
    """
    values = json.loads(_read(copy.path))
    values["checkpoint"]["latest"].pop("pending_operations", None)
    text = json.dumps(values).encode()
    damaged = _move_away(file) if file.exists() else None
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(gzip.compress(text) if file.suffix == ".gz" else text)
    _sync(part)
    part.replace(file)
    _sync(file.parent)
    return damaged


def secure(folder: Path, name: str) -> None:
    """Write the state of a workspace and its newest copy to the disk; remove the oldest copies."""
    kinds = _history(folder, name), _backups(folder, name)
    for path in (state_file(folder, name), *kinds[0][-1:]):
        if path.exists():
            _sync(path)
            _sync(path.parent)
    for path in (old for kind in kinds for old in kind[:-KEPT_COPIES]):
        path.unlink(missing_ok=True)


def _history(folder: Path, name: str) -> list[Path]:
    """Return the copies that Pulumi makes after each update, oldest first: a time is in each name."""
    return sorted((folder / ".pulumi" / "history" / "labelspace" / name).glob(f"{name}-*.checkpoint.json*"))


def _backups(folder: Path, name: str) -> list[Path]:
    """Return Pulumi's second copies, oldest first."""
    return sorted((folder / ".pulumi" / "backups" / "labelspace" / name).glob(f"{name}.*.json*"))


def _copy(path: Path) -> StateCopy | None:
    try:
        latest = _checkpoint(_read(path))
        when = datetime.fromisoformat(latest["manifest"]["time"]).astimezone(UTC)
        return StateCopy(path, when, frozenset(one["urn"] for one in latest.get("resources") or []))
    except (OSError, ValueError, EOFError, KeyError, TypeError):
        return None


def _read(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def _checkpoint(content: bytes) -> dict[str, Any]:
    """Return the newest deployment of a state; raises ``ValueError`` with the reason."""
    if not content.strip(b"\0 \n"):
        raise ValueError("it is empty")
    try:
        values = json.loads(content)
    except ValueError as error:
        raise ValueError(f"it is damaged: {error}") from None
    checkpoint = values.get("checkpoint") if isinstance(values, dict) else None
    latest = checkpoint.get("latest") if isinstance(checkpoint, dict) else None
    if not isinstance(latest, dict):
        raise ValueError("it is damaged: it is JSON, but no state of Pulumi")
    return latest


def _move_away(file: Path) -> Path:
    away = file.with_name(f"{file.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    file.rename(away)
    return away


def _sync(path: Path) -> None:
    """Write a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def short_names(urns: frozenset[str]) -> Iterator[str]:
    """Yield type and name of each resource, such as ``Container street-server``."""
    for urn in sorted(urns):
        kind, _, name = urn.rpartition("::")
        yield f"{re.split('[:$/]', kind)[-1]} {name}"

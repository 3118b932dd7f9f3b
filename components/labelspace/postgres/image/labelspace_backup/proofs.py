"""Proofs: what each drill found, one JSON object per backup in a folder ``proofs``."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from .programs import Json

Proof = Json


class Proofs(Protocol):
    """Where proofs are stored."""

    def write(self, proof: Proof) -> None:
        """Store a proof in place of the backup's older one; raises ``OSError`` or ``FailedError``."""

    def read(self) -> list[Proof]:
        """All proofs, newest last."""


class FolderProofs:
    """Proofs in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "proofs"

    def write(self, proof: Proof) -> None:
        """Whole or not at all."""
        self._folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self._folder, prefix=".part-", delete=False) as part:
            json.dump(proof, part)
        Path(part.name).replace(self._folder / f"{proof['backup'] or 'none'}.json")

    def read(self) -> list[Proof]:
        """All proofs, newest last."""
        return parse(path.read_text() for path in self._folder.glob("[!.]*.json"))


def parse(lines: Iterable[str]) -> list[Proof]:
    """Proofs of their JSON, newest last; anything else is left out."""
    return sorted((proof for line in lines for proof in _parse(line)), key=when)


def _parse(line: str) -> list[Proof]:
    try:
        proof = json.loads(line)
        return [proof] if isinstance(proof["ok"], bool) and when(proof) else []
    except (ValueError, KeyError, TypeError):
        return []


def when(proof: Proof) -> datetime:
    """The time of the drill."""
    return datetime.fromisoformat(proof["when"])


def newest(found: list[Proof]) -> Proof | None:
    """The proof of the last drill; None before the first."""
    return found[-1] if found else None

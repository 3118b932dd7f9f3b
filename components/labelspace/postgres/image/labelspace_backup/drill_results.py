"""What each drill found: one JSON object per backup in a folder ``proofs``.

The stored names (the folder ``proofs``, the JSON key ``proof``) stay, so that older backups are read.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from .programs import Json

DrillResult = Json


class DrillResults(Protocol):
    """Where results of drills are stored."""

    def write(self, result: DrillResult) -> None:
        """Store a result in place of the backup's older one; raises ``OSError`` or ``FailedError``."""

    def read(self) -> list[DrillResult]:
        """All results, newest last."""


class FolderDrillResults:
    """Results of drills in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "proofs"

    def write(self, result: DrillResult) -> None:
        """Whole or not at all."""
        self._folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self._folder, prefix=".part-", delete=False) as part:
            json.dump(result, part)
        Path(part.name).replace(self._folder / f"{result['backup'] or 'none'}.json")

    def read(self) -> list[DrillResult]:
        """All results, newest last."""
        return parse(path.read_text() for path in self._folder.glob("[!.]*.json"))


def parse(lines: Iterable[str]) -> list[DrillResult]:
    """Results of drills from their JSON, newest last; anything else is left out."""
    return sorted((result for line in lines for result in _parse(line)), key=when)


def _parse(line: str) -> list[DrillResult]:
    try:
        result = json.loads(line)
        return [result] if isinstance(result["ok"], bool) and when(result) else []
    except (ValueError, KeyError, TypeError):
        return []


def when(result: DrillResult) -> datetime:
    """The time of the drill."""
    return datetime.fromisoformat(result["when"])


def newest(found: list[DrillResult]) -> DrillResult | None:
    """The result of the last drill; None before the first."""
    return found[-1] if found else None

"""The record of changes that never reached the archive."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from labelspace.postgres.pgbackrest import CONTEXT

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LINES = f"A {NOON.timestamp():.0f}\nB {NOON.timestamp() + 60:.0f}\n"


@pytest.fixture
def gap(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(CONTEXT)
    return importlib.import_module("labelspace_backup.gap")


@pytest.fixture
def settings(gap: Any) -> Any:
    return gap.Settings("u", "d", archive_timeout_seconds=30)


def test_changes_are_lost_from_the_first_segment_on(gap: Any, settings: Any, tmp_path: Path) -> None:
    assert gap.began(settings, folder=tmp_path) is None
    (tmp_path / "segments").write_text(LINES)
    assert gap.began(settings, folder=tmp_path) == datetime(2026, 11, 24, 11, 59, 30, tzinfo=UTC)
    assert gap.began(settings, NOON, tmp_path) is None


def test_a_backup_closes_the_gap_before_it_alone(gap: Any, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "segments").write_text(LINES)
    gap.close(datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC), tmp_path)
    assert gap.began(settings, folder=tmp_path) == datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
    gap.close(datetime(2026, 11, 24, 12, 2, tzinfo=UTC), tmp_path)
    assert gap.began(settings, folder=tmp_path) is None


def test_a_gap_has_not_ended_before_a_segment_is_archived(gap: Any, tmp_path: Path) -> None:
    (tmp_path / "segments").write_text(LINES)
    assert not gap.ended(tmp_path)
    (tmp_path / "ended").touch()
    assert gap.ended(tmp_path)

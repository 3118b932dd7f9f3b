"""What the database's container does next, by its own schedule."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from labelspace.postgres.pgbackrest import CONTEXT

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def due(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``due`` of the program in the image, for backups given as ``(kind, hours ago)``."""
    monkeypatch.syspath_prepend(CONTEXT)
    engine, physical, record, schedule, settings = (
        importlib.import_module(f"labelspace_backup.{name}")
        for name in ("engine", "physical", "record", "schedule", "settings")
    )
    running = physical.Physical(settings.Settings("u", "d", 6, 7, 7, 30, "key", "repository"))

    def asked(
        backups: list[tuple[str, float]], proof: dict[str, Any] | None = None, digest: str = "m"
    ) -> str:
        known = [
            engine.Backup(
                f"id-{ago}", kind, NOW - timedelta(hours=ago), 1, 1, True, 1, record.Record({}, "m")
            )
            for kind, ago in backups
        ]
        return str(schedule.due(running, known, proof, digest, NOW))

    return asked


def _proof(hours_ago: float, *, ok: bool = True) -> dict[str, Any]:
    return {"when": (NOW - timedelta(hours=hours_ago)).isoformat(), "ok": ok}


FRESH = [("full", 30.0), ("incr", 1.0)]


def test_a_full_backup_follows_a_gap_once_the_archive_works_again(
    due: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gap = importlib.import_module("labelspace_backup.gap")
    monkeypatch.setattr(gap.began, "__defaults__", (None, tmp_path))
    monkeypatch.setattr(gap.ended, "__defaults__", (tmp_path,))
    (tmp_path / "segments").write_text("000000010000000000000007 1795521600\n")
    assert due(FRESH, _proof(20)) == ""
    (tmp_path / "ended").touch()
    assert due(FRESH, _proof(20)) == "full"


@pytest.mark.parametrize(
    ("backups", "proof", "digest", "next_step"),
    [
        (FRESH, _proof(20), "m", ""),
        ([], None, "m", "full"),
        ([("full", 8 * 24.0), ("incr", 1.0)], _proof(20), "m", "full"),
        ([("full", 30.0), ("incr", 7.0)], _proof(20), "m", "incr"),
        (FRESH, _proof(8 * 24), "m", "drill"),
        ([("full", 8.0), ("incr", 1.0)], None, "m", ""),
        (FRESH, _proof(20), "migrated since", "incr"),
        (FRESH, _proof(0.5, ok=False), "m", "full"),  # what is damaged is no ground to build on
        ([*FRESH, ("full", 0.2)], _proof(0.5, ok=False), "m", ""),
    ],
)
def test_what_is_due(
    due: Any, backups: list[tuple[str, float]], proof: Any, digest: str, next_step: str
) -> None:
    assert due(backups, proof, digest) == next_step


def test_a_scheduled_backup_that_fails_is_noted_until_one_succeeds(
    due: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    schedule, programs = (
        importlib.import_module(f"labelspace_backup.{name}") for name in ("schedule", "programs")
    )
    monkeypatch.setattr(schedule, "FAILURE", tmp_path / "failure")
    reasons = ["no space left"]

    class Engine:
        def take(self, *_: Any, **__: Any) -> Any:
            if reasons:
                raise programs.FailedError(reasons.pop())
            return self

        label = "taken"

    with pytest.raises(programs.FailedError):
        schedule._carry_out(Engine(), "full")
    assert schedule.failure(NOW - timedelta(days=3650)) == "no space left"
    assert schedule.failure(datetime.now(UTC) + timedelta(minutes=1)) == ""
    schedule._carry_out(Engine(), "full")
    assert schedule.failure(None) == ""

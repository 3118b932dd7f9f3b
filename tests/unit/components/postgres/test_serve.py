"""What the backup program answers the notifier."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from labelspace.notify.service import SERVES_STATE, STATE_PORT
from labelspace.postgres.pgbackrest import CONTEXT


def test_folders_on_one_disk_are_one_row_and_a_missing_one_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(CONTEXT)
    serve = importlib.import_module("labelspace_backup.serve")
    (tmp_path / "files").mkdir()
    rows = serve.disks({"database": tmp_path, "files": tmp_path / "files", "backups": tmp_path / "none"})
    assert [row["name"] for row in rows] == ["database"]
    assert 0 < rows[0]["used_percent"] <= 100


def test_both_sides_use_the_same_port_and_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(CONTEXT)
    serve = importlib.import_module("labelspace_backup.serve")
    assert (serve.PORT, serve.WANTED) == (STATE_PORT, SERVES_STATE)


def test_blocks_that_are_reserved_for_root_are_neither_used_nor_free(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(CONTEXT)
    state = importlib.import_module("labelspace_backup.state")
    usage = SimpleNamespace(total=252, used=72, free=20)
    monkeypatch.setattr(state.shutil, "disk_usage", lambda _: usage)
    assert state.used_percent(tmp_path) == 78.3

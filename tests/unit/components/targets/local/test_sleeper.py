"""Who uses a workspace, as the sleeper sees it: by files' times and a lock."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from labelspace.targets.local.container_files import sleeper

MINUTE = 60.0


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sleeper.Sleeper:
    """A sleeper that was woken an hour ago, with a worker that just said that nothing waits or runs."""
    monkeypatch.setattr(sleeper, "NOTES", str(tmp_path))
    monkeypatch.setattr(sleeper, "LOCKS", str(tmp_path))
    monkeypatch.setattr(sleeper.Engine, "_ask", lambda *_: None)  # the engine knows no container
    watch = sleeper.Sleeper("none-of-this-name", 10)
    watch.woken = time.time() - 60 * MINUTE
    note(tmp_path, "quiet-chunks", 0)
    return watch


def note(folder: Path, name: str, minutes_ago: float, text: str = "noted") -> None:
    (folder / name).write_text(text)
    then = time.time() - minutes_ago * MINUTE
    os.utime(folder / name, (then, then))


def test_a_user_of_less_than_ten_minutes_ago_keeps_it_awake(watch: sleeper.Sleeper, tmp_path: Path) -> None:
    note(tmp_path, "activity", 9)
    assert watch.used_by() == "a user"
    note(tmp_path, "activity", 11)
    assert watch.used_by() != "a user"


def test_the_proxys_empty_file_is_no_user(watch: sleeper.Sleeper, tmp_path: Path) -> None:
    note(tmp_path, "activity", 0, text="")
    assert watch.used_by() != "a user"


@pytest.mark.parametrize("minutes_ago", [5, 61])
def test_a_worker_that_does_not_say_that_nothing_runs_keeps_it_awake(
    watch: sleeper.Sleeper, tmp_path: Path, minutes_ago: float
) -> None:
    note(tmp_path, "quiet-notifications", minutes_ago)
    assert watch.used_by().startswith("a job")


def test_a_command_at_work_keeps_it_awake(watch: sleeper.Sleeper, tmp_path: Path) -> None:
    with (tmp_path / f"{watch.workspace}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert watch.used_by() == "a labelspace command"


@pytest.mark.parametrize(
    ("line", "copies"),
    [
        ("pgbackrest --stanza=main --type=incr backup", True),
        ("python3 -m labelspace_backup drill", True),
        ("restic restore latest", True),
        ("python3 -m labelspace_backup keep", False),
        ("postgres -c archive_command=pgbackrest --stanza=main archive-push %p", False),
    ],
)
def test_a_backup_is_recognized_by_its_command_line(
    watch: sleeper.Sleeper, monkeypatch: pytest.MonkeyPatch, line: str, copies: bool
) -> None:
    monkeypatch.setattr(watch.engine, "processes", lambda _: ["postgres: checkpointer", line])
    assert watch._copies({}) is copies

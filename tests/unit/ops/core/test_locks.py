"""Two commands at once on one workspace: the second is refused and learns who works on it, and since when."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labelspace.home import Home
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError

HOLDER = """
import sys
from pathlib import Path
from labelspace.home import Home
from labelspace_ops.core.locks import hold
sys.argv = ["labelspace", "restore", "pets", "--to", "secret"]
with hold(Home(Path({home!r})), "pets", "restoring"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOCK_SECONDS", 0.1)


def test_the_holder_is_named_with_its_command_and_time(tmp_path: Path) -> None:
    home, program = Home(tmp_path), HOLDER.format(home=str(tmp_path))
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(OpsError) as raised, locks.hold(home, "pets", "stopping"):
            pass
        assert locks.busy(home, "pets") == "restoring"
        other.kill()
    [since] = [part for part in str(raised.value).split() if part.endswith("Z")]
    assert str(raised.value) == (
        f"pets: another labelspace command is restoring it since {since} (`labelspace restore pets`, process"
        f" {other.pid}): wait until that command ends"
    )
    assert locks.busy(home, "pets") == ""
    with locks.hold(
        home, "pets", "stopping"
    ):  # the lock ended with its process; the file it left means nothing
        assert [holder.verb for holder in locks.holders(home, "pets")] == ["stopping"]


def test_backups_share_the_lock_and_nothing_changes_the_workspace_meanwhile(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with locks.hold(home, "pets", "backing up", shared=True):
        with locks.hold(home, "pets", "drilling", shared=True):
            assert locks.busy(home, "pets") == "", "the workspace serves meanwhile"
        with (
            pytest.raises(OpsError, match="another labelspace command is backing up it since"),
            locks.hold(home, "pets", "restoring"),
        ):
            pass
    with (
        locks.hold(home, "pets", "restoring"),
        pytest.raises(OpsError, match="is restoring it"),
        locks.hold(home, "pets", "backing up", shared=True),
    ):
        pass
    assert locks.holders(home, "pets") == []


def test_a_status_that_looks_at_the_lock_does_not_refuse_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCK_SECONDS", 10)
    home = Home(tmp_path)
    begun, done = threading.Event(), threading.Event()

    def look() -> None:
        with locks.hold(home, "pets", "measuring", shared=True):
            begun.set()
            done.wait(0.2)

    thread = threading.Thread(target=look)
    thread.start()
    begun.wait()
    with locks.hold(home, "pets", "starting"):
        assert locks.busy(home, "pets") == "starting"
    done.set()
    thread.join()


def test_other_workspaces_are_not_locked(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with locks.hold(home, "pets", "creating"), locks.hold(home, "cars", "deleting"):
        assert (locks.busy(home, "pets"), locks.busy(home, "cars")) == ("creating", "deleting")


def test_a_pulumi_that_runs_is_named_with_its_time(tmp_path: Path) -> None:
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "labelspace" / "pets"
    folder.mkdir(parents=True)
    lock = {"pid": os.getpid(), "timestamp": "2026-11-27T21:03:10Z"}
    (folder / "lock.json").write_text(json.dumps(lock))
    stack: Any = SimpleNamespace(name="pets")
    with pytest.raises(OpsError, match=f"process {os.getpid()}.* since 2026-11-27T21:03:10Z"):
        locks.clear_stale(tmp_path, stack)

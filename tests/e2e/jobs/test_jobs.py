"""Jobs: processes of their own, with a journal that tells their end from a kill."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.lab import PASSWORD, Lab

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError
from labelspace_ops.jobs import store as jobs

PATIENCE_SECONDS = 120


@pytest.fixture
def home(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    (tmp_path / "tools").symlink_to(lab.home.tools)
    monkeypatch.setenv("PULUMI_HOME", str(lab.home.pulumi_home))
    return Home(tmp_path)


def _until(home: Home, name: str, so: Callable[[jobs.Job], bool]) -> jobs.Job:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        job = jobs.latest(home, name)
        if job and so(job):
            return job
        time.sleep(0.1)
    raise AssertionError(f"{name}: {job}")


def _process(name: str) -> int:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"labelspace_ops.cli.job_process" in words and name.encode() in words:
            return int(folder.name)
    raise AssertionError(f"no process of {name}")


def test_a_job_that_fails_says_why(home: Home) -> None:
    jobs.begin(home, "create", "fresh", ["--yes", "--bucket=UPPER"])
    job = _until(home, "fresh", lambda job: job.state != "running")
    assert (job.state, job.verb) == ("failed", "create")
    assert job.reason.startswith("buckets.0.name: 'UPPER' is refused")
    assert job.ended is not None
    assert job.ended >= job.began


def test_a_password_goes_in_by_standard_input_alone(home: Home) -> None:
    jobs.begin(home, "create", "fresh", ["--yes", "--bucket=UPPER", "--password-stdin"], f"{PASSWORD}\n")
    command = (Path("/proc") / str(_process("fresh")) / "cmdline").read_text()
    _until(home, "fresh", lambda job: job.state != "running")
    journal = home.jobs / "fresh.jsonl"
    assert PASSWORD not in command + journal.read_text()
    assert journal.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def held_up(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A job is under way: its engine never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        jobs.begin(home, "create", "fresh", ["--yes", "--bucket=photos"])
        yield home


def test_a_killed_job_is_distinguished_from_one_that_runs(held_up: Home) -> None:
    assert _until(held_up, "fresh", lambda job: bool(job.entries)).state == "running"
    os.kill(_process("fresh"), signal.SIGKILL)
    job = _until(held_up, "fresh", lambda job: job.state != "running")
    assert job.state == "interrupted"
    assert "interrupted" in job.reason


def test_a_second_job_waits_its_turn(held_up: Home) -> None:
    with pytest.raises(OpsError, match="fresh: another command works on this workspace"):
        jobs.begin(held_up, "status", "fresh", [])
    os.kill(_process("fresh"), signal.SIGKILL)
    _until(held_up, "fresh", lambda job: job.state == "interrupted")


def test_no_job_no_journal(home: Home) -> None:
    assert jobs.latest(home, "fresh") is None
    assert jobs.names(home) == []
    with pytest.raises(OpsError, match="no name of a workspace"):
        jobs.latest(home, "../keys/passphrase")

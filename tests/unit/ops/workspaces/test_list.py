"""One workspace whose state cannot be read hides no other one."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labelspace.home import Home
from labelspace_ops.backup.models import UNKNOWN
from labelspace_ops.cli import main  # noqa: F401 - registers the commands
from labelspace_ops.cli.app import app
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import backend, state
from labelspace_ops.targets.status import Status
from labelspace_ops.workspaces import status

READY = {"name": "good", "target": "local", "status": "ready", "url": "http://good.localhost:8080"}


@pytest.fixture(autouse=True)
def two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def get(name: str, _: Home) -> Status:
        if name == "torn":
            raise OpsError("unexpected end of JSON input")
        measured = {"status": "ready", "buckets": [], "checks": []}
        return Status.measured(name, "local", READY, UNKNOWN, **measured)

    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    monkeypatch.setattr(state, "names", lambda _: ["good", "torn"])
    monkeypatch.setattr(status, "get", get)


def test_the_list_shows_the_others() -> None:
    done = CliRunner().invoke(app, ["list", "--json"])
    rows = json.loads(done.stdout)
    assert rows == [READY, {"name": "torn", "target": "", "status": "unreadable", "url": ""}]


def test_the_reason_is_said() -> None:
    done = CliRunner().invoke(app, ["list"])
    assert done.exit_code == 0
    assert "the state of torn cannot be read: unexpected end of JSON input" in done.stderr


def test_a_bucket_of_states_that_hangs_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    never = threading.Event()
    monkeypatch.setattr(status, "WORK_SECONDS", 1.0)
    monkeypatch.setattr(state, "names", lambda _: never.wait())
    monkeypatch.setattr(backend, "current_url", lambda _: "s3://team")
    with pytest.raises(OpsError, match="the state in s3://team: no answer in 1 s"):
        status.get_all(Home(tmp_path))
    never.set()

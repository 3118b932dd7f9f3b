"""The first real run's command, against the double of Scaleway's API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testbed.scaleway_api.app import running
from testbed.scaleway_api.authorization import Caller
from testbed.scaleway_api.cloud import Cloud, Fault
from tests.e2e.cloud import ACCOUNT, DEPLOYER, KEY
from tests.paths import ROOT

from labelspace.home import Home

QUOTA: dict[str, Any] = {"type": "quotas_exceeded", "message": "quota exceeded for this resource"}


class Smoke:
    """An account on the double and a home of its own."""

    def __init__(self, home: Home, cloud: Cloud, address: str) -> None:
        self.home, self.cloud, self.address = home, cloud, address
        self.report = home.root / "report.json"

    def run(self, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        own = {key: value for key, value in os.environ.items() if key[:4] not in ("AWS_", "SCW_")}
        double = {
            "SCW_API_URL": f"http://{self.address}",
            "SCW_S3_ENDPOINT": f"http://{self.address}",
            "LABELSPACE_TESTBED_S3": self.address,
            "LABELSPACE_TESTBED_POLL": "20ms",
            "LABELSPACE_HOME": str(self.home.root),
        }
        words = ["-m", "testbed.scaleway_smoke", "--without-servers", f"--report={self.report}", *arguments]
        return subprocess.run(
            [sys.executable, *words], env={**own, **ACCOUNT, **double}, input=answer, cwd=ROOT,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def reported(self) -> Any:
        return json.loads(self.report.read_text())

    def left(self) -> set[str]:
        """Kinds of what is still there; the account's own key always is."""
        return {kind for kind, items in self.cloud.kinds.items() if items} - {"access_key"}


@pytest.fixture
def smoke(tmp_path: Path) -> Iterator[Smoke]:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    home.tools.symlink_to(Home.find().tools)
    cloud = Cloud(people={ACCOUNT["SCW_ACCESS_KEY"]: Caller(DEPLOYER)})
    cloud.add("access_key", dict(KEY), "access_key")
    with running(cloud) as address:
        yield Smoke(home, cloud, address)


def test_it_names_the_cost_first_and_makes_nothing_without_a_yes(smoke: Smoke) -> None:
    done = smoke.run(answer="n\n")
    assert done.returncode == 2, done.stderr
    assert "two workspaces cost 0.13 EUR an hour together" in done.stdout
    assert not [path for method, path, _ in smoke.cloud.calls if method == "POST"]


def test_every_step_passes_and_nothing_is_left(smoke: Smoke) -> None:
    done = smoke.run("--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    report = smoke.reported()
    assert report["ok"]
    assert report["left"] == []
    passed = [one["name"] for one in report["steps"] if one["ok"]]
    left_out = [one["name"] for one in report["steps"] if one["ok"] is None]
    assert len(passed) == 8
    assert left_out == [
        "back up, prove and restore the database on the server",
        "back up and prove on the new server",
    ]
    assert smoke.left() == set()
    assert [*smoke.cloud.all("access_key")] == [KEY["access_key"]]
    assert not (smoke.home.root / "scaleway-smoke").exists()


def test_a_refused_database_fails_the_run_and_everything_is_removed(smoke: Smoke) -> None:
    smoke.cloud.faults.append(Fault("POST", "/rdb/v1/regions/fr-par/instances$", 403, QUOTA, times=9))
    done = smoke.run("--yes")
    assert done.returncode == 1
    report = smoke.reported()
    assert [one["ok"] for one in report["steps"]] == [True, False]
    assert "quota exceeded" in report["steps"][1]["detail"]
    assert report["left"] == []
    assert smoke.left() == set()


def test_what_a_killed_run_left_is_removed_later(smoke: Smoke) -> None:
    smoke.cloud.faults.append(Fault("DELETE", "/account/v3/projects/", 500, {}, times=9999))
    smoke.cloud.faults.append(Fault("POST", "/instance/v1/zones/fr-par-1/servers$", 403, QUOTA, times=9))
    done = smoke.run("--yes", "--patience=0")
    assert done.returncode == 1
    (left,) = smoke.reported()["left"]
    assert left.startswith("project ")
    assert "an earlier run was not cleaned up" in smoke.run("--yes").stderr

    smoke.cloud.faults.clear()
    assert smoke.run("--clean-up").returncode == 0
    assert smoke.left() == set()

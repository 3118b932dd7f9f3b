"""What a reviewer is shown before anything changes, on a workspace that runs."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.e2e.lab import PASSWORD, Lab, containers

CASES = {
    "closed registration": ["registration=closed"],
    "added bucket": ["buckets+=meadows"],
    "removed bucket": ["buckets-=fields"],
    "changed version": ["cvat_version=2.73.1"],
}


def _anonymous(text: str, measured: Any) -> str:
    """The same words for every run: names and ports are drawn anew."""
    port = measured["url"].rsplit(":", 1)[1]
    return text.replace(measured["name"], "NAME").replace(port, "PORT")


@pytest.mark.parametrize("case", CASES)
def test_a_preview_reads_right(case: str, lab: Lab, street: Any, snapshot: SnapshotAssertion) -> None:
    done = lab.run("preview", street["name"], *CASES[case])
    assert done.returncode == 0, done.stderr
    assert _anonymous(done.stdout, street) == snapshot


def test_a_preview_of_a_new_workspace_reads_right(lab: Lab, snapshot: SnapshotAssertion) -> None:
    done = lab.run("preview", "fresh", "--bucket", "meadows", "--port", "20998", "--s3-port", "20999")
    assert done.stdout == snapshot


def test_a_preview_of_a_changed_password_reads_right(
    lab: Lab, street: Any, snapshot: SnapshotAssertion
) -> None:
    done = lab.run("preview", street["name"], "--password-stdin", stdin="Quite-another-phrase-of-2026\n")
    assert _anonymous(done.stdout, street) == snapshot


def test_a_changed_password_is_named_and_never_shown(lab: Lab, street: Any) -> None:
    secret = "Quite-another-phrase-of-2026"
    shown = lab.run("preview", street["name"], "--password-stdin", "--markdown", stdin=secret + "\n").stdout
    assert "| `admin.password` | (secret) | (secret) |" in shown
    assert "container `readiness`" in shown
    assert secret not in shown
    assert PASSWORD not in shown


def test_a_preview_of_no_change_as_json(lab: Lab, street: Any) -> None:
    reviewed = lab.json("preview", street["name"])
    assert reviewed["counts"] == {"create": 0, "update": 0, "replace": 0, "delete": 0, **_same(reviewed)}
    assert (reviewed["name"], reviewed["exists"], reviewed["changes"]) == (street["name"], True, [])
    assert reviewed["counts"]["same"] <= 30


def _same(reviewed: Any) -> dict[str, int]:
    return {"same": reviewed["counts"]["same"]}


def test_a_preview_of_a_new_workspace_makes_nothing(lab: Lab) -> None:
    reviewed = lab.json("preview", "fresh", "--bucket", "meadows", "--bind-address", "0.0.0.0")
    assert reviewed["exists"] is False
    assert reviewed["counts"]["create"] == len(reviewed["changes"]) > 20
    assert any("can create an account" in note for note in reviewed["notes"])
    assert not containers("fresh")
    assert "fresh" not in [row["name"] for row in lab.json("list")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["registration"], "write KEY=VALUE"),
        (["colour=red"], "colour: unknown setting"),
        (["size=huge"], "size: 'huge' is refused: choose one of small, medium, large"),
        (["buckets-=nowhere"], "buckets: 'nowhere' is not a bucket of this workspace"),
        (["admin.password=secret"], "use --password-stdin"),
        (["name=other"], "name: it cannot change: create another workspace"),
    ],
)
def test_settings_that_are_refused(lab: Lab, street: Any, words: list[str], said: str) -> None:
    done = lab.run("set", street["name"], *words, "--yes")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr


def test_what_was_changed_by_hand_shows_and_is_mended(lab: Lab, street: Any) -> None:
    cache = containers(street["name"])["cache"]
    declared = cache.attrs["HostConfig"]["Memory"]
    other = str(declared + 2**26)
    subprocess.run(["docker", "update", "--memory", other, "--memory-swap", other, cache.name], check=True)
    done = lab.run("status", street["name"], "--json")
    assert done.returncode == 1
    assert any(
        check["name"] == "drift" and "cache: memory" in check["detail"]
        for check in json.loads(done.stdout)["checks"]
    )
    assert lab.json("create", street["name"], "--yes")["status"] == "ready"
    assert containers(street["name"])["cache"].attrs["HostConfig"]["Memory"] == declared

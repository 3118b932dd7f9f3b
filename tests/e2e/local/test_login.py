"""The state of workspaces in a bucket that a team shares."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.lab import Lab

from labelspace.home import Home
from labelspace_ops.stack import state


@pytest.fixture
def shared(lab: Lab, street: Any) -> Iterator[str]:
    """A bucket of a real S3 gateway, as the URL of Pulumi's state; the keys to it are in the environment."""
    found = state.require_outputs(street["name"], lab.home)
    keys = found["bucket_keys"]["fields"]
    endpoint = next(one["endpoint"] for one in found["buckets"] if one["name"] == "fields")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", keys["access_key"])
        patch.setenv("AWS_SECRET_ACCESS_KEY", keys["secret_key"])
        yield f"s3://fields?region=us-east-1&endpoint={endpoint}&use_path_style=true"
    shutil.rmtree(lab.home.buckets / "fields" / ".pulumi")


def test_a_workspace_moves_to_a_shared_state_and_back(
    lab: Lab, street: Any, shared: str, tmp_path: Path
) -> None:
    name, kept = street["name"], lab.state / ".pulumi" / "stacks"
    there = lab.json("login", shared, "--move", name)
    try:
        assert (there["moved"], name in there["workspaces"]) == ([name], True)
        assert not list(kept.rglob(f"{name}.json"))
        assert lab.json("login") == {"backend": shared}
        assert lab.json("status", name)["status"] == "ready"
        assert lab.json("credentials", name)["password"]
        lab.pulumi("preview", "--stack", name, "--expect-no-changes")
        _another_machine(lab, name, shared, tmp_path)
    finally:
        back = lab.json("login", "--local", "--move", name)
    assert (back["moved"], back["left_behind"]) == ([name], [])
    assert list(kept.rglob(f"{name}.json"))
    assert lab.json("status", name)["status"] == "ready"


def _another_machine(lab: Lab, name: str, shared: str, folder: Path) -> None:
    """It gets in with the passphrase alone."""
    other = Lab(Home(folder / "home"))
    other.home.root.mkdir()
    other.home.tools.symlink_to(lab.home.tools)
    refused = other.run("login", shared)
    assert (
        refused.returncode,
        "this machine's passphrase does not decrypt" in refused.stderr,
    ) == (1, True)
    assert json.loads(other.run("login", "--json").stdout)["backend"] != shared
    lab.json("keys", "export", str(folder / "kit.json"))
    other.json("keys", "import", str(folder / "kit.json"))
    assert other.json("login", shared)["workspaces"] == [name]
    assert [row["name"] for row in other.json("list")] == [name]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["https://somewhere"], "url: 'https://somewhere' is refused"),
        (["s3://key:secret@bucket"], "url: it holds a password"),
        (["s3://bucket", "--local"], "not both"),
        (["--local", "--move", "nobody"], "move: 'nobody' is not in the state that you move from"),
    ],
)
def test_what_is_no_place_of_state(lab: Lab, words: list[str], why: str) -> None:
    done = lab.run("login", *words)
    assert (done.returncode, why in done.stderr) == (2, True), done.stderr
    assert "key:secret" not in done.stderr

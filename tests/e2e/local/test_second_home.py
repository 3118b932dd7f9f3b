"""A workspace seen from a second home that has state and passphrase alone: previews, and refused updates."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.lab import Lab, containers
from tests.paths import ROOT

from labelspace.home import Home
from labelspace.targets.local.machine import RECORD
from labelspace_ops.stack import project
from labelspace_ops.stack.pulumi_cli import prepare


def _files(home: Home) -> dict[str, int]:
    """Every file of a home with the time of its last change; without the tools, which tests share.

    Backups are left out: the database goes on archiving.
    """
    skipped = {home.tools, home.backups}
    found = [path for top in home.root.iterdir() if top not in skipped for path in [top, *top.rglob("*")]]
    return {str(path): path.stat().st_mtime_ns for path in found if path.is_file()}


@pytest.fixture
def second(lab: Lab, street: Any, tmp_path: Path) -> Lab:
    """A home with a copy of the state and of the passphrase, and nothing else of the first."""
    other = Home(tmp_path / "second")
    other.keys.mkdir(parents=True, mode=0o700)
    other.tools.symlink_to(lab.home.tools)
    shutil.copy2(lab.home.passphrase, other.passphrase)
    data = project.find(lab.home).data
    shutil.copytree(data, other.root / data.relative_to(lab.home.root))
    return Lab(other)


def test_a_preview_writes_nothing_into_the_home(lab: Lab, street: Any) -> None:
    before = _files(lab.home)
    assert lab.json("preview", street["name"])["changes"] == []
    lab.pulumi("preview", "--stack", street["name"], "--expect-no-changes")
    assert _files(lab.home) == before


def test_a_preview_of_a_new_workspace_makes_no_home(lab: Lab, tmp_path: Path) -> None:
    new = Home(tmp_path / "new")
    new.root.mkdir()
    new.tools.symlink_to(lab.home.tools)
    assert Lab(new).json("preview", "fresh", "--bucket", "meadows")["exists"] is False
    assert _files(new) == {}


@pytest.mark.parametrize("changes", [(), ("registration=closed", "size=medium")], ids=["same", "changed"])
def test_a_second_home_previews_the_same(
    lab: Lab, second: Lab, street: Any, changes: tuple[str, ...]
) -> None:
    before = _files(second.home)
    reviewed = second.json("preview", street["name"], *changes)
    assert reviewed == lab.json("preview", street["name"], *changes)
    assert bool(reviewed["changes"]) == bool(changes)
    assert _files(second.home) == before


def test_plain_pulumi_previews_with_the_state_alone(lab: Lab, street: Any, tmp_path: Path) -> None:
    """No home, no engine: the passphrase is in a variable, the state is a copy."""
    shutil.copytree(project.find(lab.home).state, tmp_path / "state")
    env = {
        **os.environ,
        "PATH": lab.env()["PATH"],
        "PULUMI_HOME": str(lab.home.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": lab.home.passphrase.read_text(),
        "LABELSPACE_HOME": str(tmp_path / "none"),
        "DOCKER_HOST": f"unix://{tmp_path}/no-engine.sock",
    }
    done = subprocess.run(
        ["pulumi", "preview", "--stack", street["name"], "--expect-no-changes", "--json"],
        env=env, capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(json.loads(done.stdout)["changeSummary"]) == {"same"}
    assert not (tmp_path / "none").exists()


def test_a_home_without_the_passphrase_says_how_to_get_it(second: Lab, street: Any) -> None:
    second.home.passphrase.unlink()
    done = second.run("preview", street["name"])
    assert done.returncode == 1
    assert "labelspace keys import FILE" in done.stderr
    assert not second.home.passphrase.exists()


def test_an_update_from_a_second_home_is_refused_before_anything_changes(second: Lab, street: Any) -> None:
    name = street["name"]
    before = {part: one.id for part, one in containers(name).items()}
    refused = f"{name}: it was made from another home"
    done = second.run("set", name, "description=other", "--yes")
    assert done.returncode == 1
    assert refused in done.stderr
    assert f"{RECORD}={name}" in done.stderr
    assert refused in second.pulumi("up", "--stack", name, "--yes", "--skip-preview", fails=True)
    assert refused in second.run("stop", name).stderr
    assert {part: one.id for part, one in containers(name).items()} == before
    assert not second.home.backup_key(name).exists()


PROGRAM = """\
import pulumi
from labelspace import DatasetBucket

bucket = DatasetBucket(pulumi.get_stack(), port=pulumi.Config().require_int("port"))
pulumi.export("folder", bucket.folder)
"""


@pytest.fixture
def bucket(lab: Lab, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The stack and the folder of a program that declares one bucket, up."""
    name, folder = f"b{secrets.token_hex(3)}", tmp_path / "program"
    folder.mkdir()
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "Pulumi.yaml").write_text("name: buckets\nruntime: python\n")
    prepare(lab.home)
    try:
        for words in (
            ("stack", "init", name),
            ("config", "set", "port", str(secrets.randbelow(4000) + 32000)),
            ("up", "--yes", "--skip-preview"),
        ):
            done = lab.plain(*words, cwd=folder)
            assert done.returncode == 0, done.stdout + done.stderr
        yield name, folder
    finally:
        lab.plain("destroy", "--yes", "--skip-preview", cwd=folder)
        lab.forget(name)


def test_a_home_that_was_moved_is_recorded_on_request(
    lab: Lab, bucket: tuple[str, Path], tmp_path: Path
) -> None:
    name, folder = bucket
    moved = Home(tmp_path / "moved")
    shutil.copytree(lab.home.keys, moved.keys)
    shutil.copy2(lab.home.identity_file, moved.identity_file)

    def up(**more: str) -> subprocess.CompletedProcess[str]:
        env = {**lab.env(), "LABELSPACE_HOME": str(moved.root), **more}
        words = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
        return subprocess.run(words, env=env, capture_output=True, text=True, check=False, cwd=folder)

    refused = up()
    assert refused.returncode != 0
    assert f"set {RECORD}={name} for one update" in refused.stdout + refused.stderr
    recorded = up(**{RECORD: name})
    assert recorded.returncode == 0, recorded.stdout + recorded.stderr
    again = up()
    assert again.returncode == 0, again.stdout + again.stderr
    shown = json.loads(lab.plain("stack", "output", "--json", cwd=folder).stdout)
    assert shown["folder"] == str(moved.buckets / name)

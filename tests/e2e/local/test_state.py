"""A state that is damaged, encrypted with another passphrase, or gone: nothing of the workspace is lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import named_workspace
from tests.e2e.lab import ADMIN, PASSWORD, Lab, Visitor, admin_of, containers, running

from labelspace_ops.stack import state_files


@pytest.fixture(scope="module")
def meadow(lab: Lab) -> Iterator[Any]:
    """A workspace with a project, and a second update in its history."""
    for measured in named_workspace(lab, "--bucket", "meadow"):
        admin_of(measured).post("/api/projects", {"name": "flowers", "labels": [{"name": "daisy"}]})
        lab.json("set", measured["name"], "description=second", "--yes")
        yield measured


def _file(lab: Lab, name: str) -> Path:
    return state_files.state_file(lab.state, name)


def _projects(measured: Any) -> list[str]:
    admin = Visitor(measured["api_url"])
    assert admin.log_in(ADMIN, PASSWORD).status_code == 200
    return [row["name"] for row in admin.get("/api/projects").json()["results"]]


def _empty(content: bytes) -> bytes:
    return b""


def _truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _without_checkpoint(content: bytes) -> bytes:
    return b"{}"


@pytest.mark.parametrize("damage", [_empty, _truncated, _without_checkpoint])
def test_a_damaged_state_is_named_by_every_command_and_repaired(
    lab: Lab, meadow: Any, damage: Callable[[bytes], bytes]
) -> None:
    name, file = meadow["name"], _file(lab, meadow["name"])
    before = {part: one.id for part, one in containers(name).items()}
    file.write_bytes(damage(file.read_bytes()))
    listed = {row["name"]: row["status"] for row in lab.json("list")}
    assert listed[name] == "unreadable"
    for command in (
        *(("status", name), ("start", name), ("stop", name), ("create", name, "--yes")),
        *(("set", name, "size=medium", "--yes"), ("delete", name, "--yes"), ("backups", name)),
    ):
        done = lab.run(*command)
        assert done.returncode == 1, command
        assert f"{name}: the state in {file} cannot be read" in done.stderr, (command, done.stderr)
        assert f"`labelspace state repair {name}` takes the newest whole copy" in done.stderr, command
    refused = lab.run("state", "repair", name, stdin="n\n")
    assert refused.returncode == 1
    assert "resources\n  not in it" in refused.stdout
    assert "annotations, files and backups are not touched" in refused.stdout
    assert file.exists()
    done = lab.run("state", "repair", name, "--yes")
    assert done.returncode == 0, done.stderr
    assert list(file.parent.glob(f"{file.name}.damaged-*"))
    assert lab.json("status", name)["status"] == "ready"
    assert {part: one.id for part, one in containers(name).items()} == before
    lab.pulumi("preview", "--stack", name, "--expect-no-changes")


def test_a_copy_that_lacks_a_resource_is_shown_and_the_resource_is_made_again(lab: Lab, meadow: Any) -> None:
    name, file = meadow["name"], _file(lab, meadow["name"])
    lab.json("set", name, "sleep_after_minutes=60", "--yes")
    for copy in state_files.find_copies(lab.state, name):
        if any(urn.endswith("-sleeper") for urn in copy.resources):
            copy.path.unlink()
    file.write_bytes(_truncated(file.read_bytes()))
    file.write_bytes(file.read_bytes() + b'"urn":"urn:pulumi:x::labelspace::docker:C::sleeper"')
    done = lab.run("state", "repair", name, "--yes")
    assert (done.returncode, "sleeper" in done.stdout) == (0, True), done.stdout + done.stderr
    assert lab.json("create", name, "--yes")["status"] == "ready"
    assert "sleeper" in running(name)
    lab.json("set", name, "sleep_after_minutes=0", "--yes")


def test_a_state_under_another_passphrase_names_the_file_and_the_ways_back(lab: Lab, meadow: Any) -> None:
    name, passphrase = meadow["name"], lab.home.passphrase
    right = passphrase.read_text()
    passphrase.write_text("another one\n")
    try:
        assert {row["name"]: row["status"] for row in lab.json("list")}[name] == "unreadable"
        for command in (("status", name), ("start", name), ("stop", name), ("delete", name, "--yes")):
            done = lab.run(*command)
            assert done.returncode == 1, command
            assert f"{_file(lab, name)} is encrypted with another passphrase" in done.stderr, done.stderr
            assert "keys import" in done.stderr
        done = lab.run("state", "repair", name, "--yes")
        assert (done.returncode, "copies can" in done.stderr) == (1, True), done.stderr
    finally:
        passphrase.write_text(right)
    assert lab.json("status", name)["status"] == "ready"


def test_a_lost_state_comes_back_from_its_copies(lab: Lab, meadow: Any) -> None:
    name, file = meadow["name"], _file(lab, meadow["name"])
    file.unlink()
    done = lab.run("status", name)
    assert (done.returncode, f"`labelspace state repair {name}`" in done.stderr) == (2, True), done.stderr
    done = lab.run("state", "repair", name, "--yes")
    assert done.returncode == 0, done.stderr
    assert lab.json("status", name)["status"] == "ready"


def test_what_is_there_is_used_again_when_the_state_and_its_copies_are_gone(lab: Lab, meadow: Any) -> None:
    name = meadow["name"]
    before = lab.json("backup", name)
    shutil.rmtree(lab.state / ".pulumi" / "history" / "labelspace" / name)
    shutil.rmtree(lab.state / ".pulumi" / "backups" / "labelspace" / name)
    for file in _file(lab, name).parent.glob(f"{name}.json*"):
        file.unlink()
    for command in (("status", name), ("start", name), ("stop", name)):
        done = lab.run(*command)
        assert f"`labelspace create {name} --reuse-data`" in done.stderr, (command, done.stderr)
    refused = lab.run("create", name, "--yes")
    assert (refused.returncode, "--reuse-data` shows what is left" in refused.stderr) == (2, True)
    assert len(running(name)) == 10
    done = lab.run("create", name, "--reuse-data", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert f"left annotations (volume labelspace-{name}-database)" in done.stderr
    assert "containers (made again): using it" in done.stderr
    measured = lab.json("status", name)
    assert (measured["status"], measured["url"]) == ("ready", meadow["url"])
    assert measured["description"] == "second"
    assert _projects(measured) == ["flowers"]
    taken = lab.json("backup", name)
    listed = [row["id"] for row in lab.json("backups", name)["backups"]]
    assert {before["id"], taken["id"]} <= set(listed)

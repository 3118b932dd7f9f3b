"""Damaged states are recognised, and the newest whole copy takes their place."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labelspace.home import Home
from labelspace_ops.stack import pulumi_cli, pulumi_errors, state, state_files
from labelspace_ops.stack.state import NoSuchWorkspaceError, UnreadableStateError

URN = "urn:pulumi:one::labelspace::docker:index/container:Container::one-"


def _state(minute: int, *parts: str) -> bytes:
    latest = {
        "manifest": {"time": f"2026-11-27T21:{minute:02}:47.778770967Z"},
        "resources": [{"urn": URN + part} for part in parts],
        "pending_operations": [{"type": "creating"}],
    }
    return json.dumps({"version": 3, "checkpoint": {"stack": "one", "latest": latest}}).encode()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with the workspace ``one``, two older copies and one that is torn."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "state" / ".pulumi"
    history = folder / "history" / "labelspace" / "one"
    history.mkdir(parents=True)
    (history / "one-1795816307790371550.checkpoint.json").write_bytes(_state(10, "server"))
    (history / "one-1795816308244621988.checkpoint.json.gz").write_bytes(
        gzip.compress(_state(20, "server", "gateway"))
    )
    (history / "one-1795816309244621988.checkpoint.json").write_bytes(b"")
    stacks = folder / "stacks" / "labelspace"
    stacks.mkdir(parents=True)
    (stacks / "one.json").write_bytes(_state(30, "server", "gateway", "sleeper"))
    return Home(tmp_path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is empty"),
        (b"\0\0\0\0", "it is empty"),
        (_state(30, "server")[:60], "it is damaged: "),
        (b"garbage", "it is damaged: "),
        (b"{}", "it is JSON, but no state of Pulumi"),
        (b'{"version": 3, "checkpoint": null}', "it is JSON, but no state of Pulumi"),
        (gzip.compress(_state(30), mtime=0)[:40], "Compressed file ended"),
    ],
    ids=["empty", "zeros", "cut", "garbage", "no state", "no checkpoint", "cut archive"],
)
def test_a_damaged_state_names_its_file_and_the_newest_whole_copy(
    home: Home, content: bytes, problem: str
) -> None:
    file = state_files.state_file(home.state, "one")
    file.write_bytes(content)
    with pytest.raises(UnreadableStateError) as raised:
        state.must_exist("one", home)
    assert f"one: the state in {file} cannot be read (" in str(raised.value)
    assert problem in str(raised.value)
    assert "`labelspace state repair one` takes the newest whole copy (2026-11-27 21:20 UTC)" in str(
        raised.value
    )


def test_a_whole_state_is_no_problem(home: Home) -> None:
    state.must_exist("one", home)
    assert state_files.find_problem(state_files.state_file(home.state, "one")) == ""


def test_without_a_whole_copy_the_state_is_made_again(home: Home) -> None:
    file = state_files.state_file(home.state, "one")
    file.write_bytes(b"")
    for copy in state_files.find_copies(home.state, "one"):
        copy.path.unlink()
    with pytest.raises(UnreadableStateError, match="create one --reuse-data` makes the state again"):
        state.must_exist("one", home)


def test_copies_are_newest_first_and_torn_ones_are_left_out(home: Home) -> None:
    file = state_files.state_file(home.state, "one")
    file.with_name("one.json.bak").write_bytes(_state(29, "server"))
    found = state_files.find_copies(home.state, "one")
    assert [copy.when.minute for copy in found] == [29, 20, 10]
    assert found[0].when.date() == datetime(2026, 11, 27, tzinfo=UTC).date()
    assert found[1].resources == {f"{URN}server", f"{URN}gateway"}


def test_what_a_removed_workspace_left_is_no_copy(home: Home) -> None:
    file = state_files.state_file(home.state, "gone")
    file.with_name("gone.json.bak").write_bytes(_state(29, "server"))
    assert state_files.find_copies(home.state, "gone") == []
    with pytest.raises(NoSuchWorkspaceError) as raised:
        state.must_exist("gone", home)
    assert "state repair" not in str(raised.value)


def test_a_lost_state_is_repaired_from_its_history(home: Home) -> None:
    state_files.state_file(home.state, "one").unlink()
    with pytest.raises(NoSuchWorkspaceError, match="there are copies: `labelspace state repair one`"):
        state.must_exist("one", home)


def test_resources_of_a_truncated_state_are_known(home: Home) -> None:
    file = state_files.state_file(home.state, "one")
    file.write_bytes(file.read_bytes()[:-40])
    lost = state_files.named_resources(file) - state_files.find_copies(home.state, "one")[0].resources
    assert list(state_files.short_names(lost)) == ["Container one-sleeper"]


@pytest.mark.parametrize("name", ["one.json", "one.json.gz"])
def test_a_copy_takes_the_place_of_the_damaged_file(home: Home, name: str) -> None:
    file = state_files.state_file(home.state, "one")
    file = file.rename(file.with_name(name))
    file.write_bytes(b"torn")
    copy = state_files.find_copies(home.state, "one")[0]
    damaged = state_files.replace(file, copy)
    assert damaged
    assert damaged.read_bytes() == b"torn"
    assert state_files.find_problem(file) == ""
    content = gzip.decompress(file.read_bytes()) if name.endswith("gz") else file.read_bytes()
    assert "pending_operations" not in json.loads(content)["checkpoint"]["latest"]
    assert state.names(home) == ["one"]


def test_a_secured_state_is_on_the_disk_and_its_copies_are_bounded(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(state_files, "_sync", lambda path: synced.append(path.name))
    history = home.state / ".pulumi" / "history" / "labelspace" / "one"
    for number in range(30):
        (history / f"one-18{number:017}.checkpoint.json").write_bytes(_state(31, "server"))
        (history / f"one-18{number:017}.history.json").write_text("{}")
    state_files.secure(home.state, "one")
    assert synced[0] == "one.json"
    assert synced[2] == f"one-18{29:017}.checkpoint.json"
    left = sorted(path.name for path in history.glob("*.checkpoint.json*"))
    assert left == [f"one-18{number:017}.checkpoint.json" for number in range(10, 30)]
    assert len(list(history.glob("*.history.json"))) == 30


def test_another_passphrase_is_named_with_the_ways_back(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise pulumi_errors.error_of(
            "error: could not deserialize deployment: failed to decrypt: incorrect passphrase"
        )

    monkeypatch.setattr(pulumi_cli, "query", refuse)
    pulumi_cli.prepare_home(home)
    with pytest.raises(UnreadableStateError, match="another passphrase than the one in") as raised:
        state.deployment("one", home)
    assert str(state_files.state_file(home.state, "one")) in str(raised.value)
    assert "`labelspace keys import KIT`" in str(raised.value)

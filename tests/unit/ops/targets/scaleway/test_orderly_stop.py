"""Before a server is deleted, its containers stop in order, where SSH is open to this machine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labelspace.home import Home
from labelspace.targets.scaleway.orderly_stop import STOP_CONTAINERS
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import automation
from labelspace_ops.targets.scaleway import lifecycle
from labelspace_ops.targets.scaleway import ssh as server_ssh

OPEN: dict[str, Any] = {"scaleway": {"ssh_cidrs": ["203.0.113.7/32"]}}


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What is run on the server."""
    ran: list[tuple[str, ...]] = []
    server = SimpleNamespace(run=lambda *words: ran.append(words))
    monkeypatch.setattr(server_ssh, "server_of", lambda *_: server)
    return ran


def test_containers_are_stopped_and_the_volume_is_written(
    commands: list[tuple[str, ...]], tmp_path: Path
) -> None:
    lifecycle.stop_containers("pets", Home(tmp_path), OPEN)
    (command,) = commands
    assert command[-1].endswith("compose.yaml stop && sync")


def test_a_stop_takes_its_backup_before_the_containers_stop(
    commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran_before: list[int] = []

    def last_copy(*_: object, prove: bool) -> str:
        ran_before.append(len(commands))
        return "proven" if prove else "taken"

    monkeypatch.setattr(lifecycle, "_last_copy", last_copy)
    monkeypatch.setattr(automation, "read_settings", lambda _: OPEN)
    selected: Any = SimpleNamespace(name="pets")
    assert lifecycle.before_stop(selected, Home(tmp_path)) == "taken"
    assert ran_before == [0]
    assert [command[-1] for command in commands] == [STOP_CONTAINERS]


@pytest.mark.parametrize("settings", [{}, {**OPEN, "running": False}], ids=["closed", "stopped"])
def test_nothing_is_asked_of_a_server_that_does_not_answer(
    settings: dict[str, Any], commands: list[tuple[str, ...]], tmp_path: Path
) -> None:
    lifecycle.stop_containers("pets", Home(tmp_path), settings)
    assert commands == []


def test_a_server_that_refuses_is_deleted_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []
    monkeypatch.setattr(lifecycle, "message", said.append)

    def refuse(*_: object) -> None:
        raise OpsError("connection refused")

    monkeypatch.setattr(server_ssh, "server_of", refuse)
    lifecycle.stop_containers("pets", Home(tmp_path), OPEN)
    assert "were not stopped before the server goes (connection refused)" in said[0]

"""What happens when things die."""

from __future__ import annotations

import os
import secrets
import signal
from typing import Any

import pytest
from tests.e2e.lab import ADMIN, PASSWORD, Lab, admin_of, containers, ports, running


def test_every_container_comes_back_by_itself(lab: Lab, street: Any) -> None:
    """By its process's id: ``docker kill`` would suspend the restart policy."""
    alive = running(street["name"])
    assert len(alive) == 10
    for one in alive.values():
        os.kill(one.attrs["State"]["Pid"], signal.SIGKILL)
    measured = lab.until_ready(street["name"])
    assert measured["status"] == "ready"
    restarted = containers(street["name"])
    assert all(restarted[part].id == one.id for part, one in alive.items())
    assert all(restarted[part].attrs["RestartCount"] >= 1 for part in alive)


@pytest.mark.parametrize("line", ["[10]", "readiness: "])
def test_an_engine_killed_in_mid_create_is_taken_up_again(lab: Lab, line: str) -> None:
    name = f"k{secrets.token_hex(3)}"
    command = [
        "create",
        name,
        "--yes",
        *ports(),
        "--bucket",
        "killed",
        "--admin-username",
        ADMIN,
    ]
    try:
        lab.kill_at(line, *command, "--password-stdin", stdin=PASSWORD + "\n")
        measured = lab.json("create", name, "--yes")
        assert measured["status"] == "ready"
        users = admin_of(measured).get("/api/users").json()["results"]
        assert [user["username"] for user in users if user["is_superuser"]] == [ADMIN]
        lab.pulumi("preview", "--stack", name, "--expect-no-changes")
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")
    assert not containers(name)


def test_pulumi_writes_nothing_in_place_that_a_kill_could_tear(lab: Lab, street: Any) -> None:
    """Its ``.attrs`` files it writes in place; an empty one ended every command with ``EOF``."""
    written = {file.suffix for file in lab.state.rglob("*") if file.is_file()}
    assert ".json" in written
    assert ".attrs" not in written

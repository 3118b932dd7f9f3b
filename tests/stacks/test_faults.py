"""What happens when things die."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from typing import Any

import pytest
from tests.lab import ADMIN, BIN, PASSWORD, Lab, admin_of, containers, ports, running

from labelspace_ops.stack import PROJECT


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


@pytest.mark.parametrize("line", ["[10]", "gate: "])
def test_an_engine_killed_in_mid_create_is_taken_up_again(lab: Lab, line: str) -> None:
    name = f"k{secrets.token_hex(3)}"
    command = [
        str(BIN / "labelspace"),
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
        _kill_at(lab, [*command, "--password-stdin"], line)
        measured = lab.json("create", name, "--yes")
        assert measured["status"] == "ready"
        users = admin_of(measured).get("/api/users").json()["results"]
        assert [user["username"] for user in users if user["is_superuser"]] == [ADMIN]
        lab.pulumi("preview", "--stack", name, "--expect-no-changes")
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")
    assert not containers(name)


def _kill_at(lab: Lab, command: list[str], line: str) -> None:
    """Start ``command`` and kill it with Pulumi and its plugins once it prints ``line``."""
    started = subprocess.Popen(
        command, env=lab.env(), cwd=PROJECT, text=True, start_new_session=True,
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert started.stdin
    assert started.stderr
    started.stdin.write(PASSWORD + "\n")
    started.stdin.close()
    for printed in started.stderr:
        if line in printed:
            break
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    started.stderr.close()
    time.sleep(1)

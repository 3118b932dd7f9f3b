"""Before an update replaces a server, its containers stop in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.cloud import Account, account

from labelspace.home import Home

MARK = "/ssh"
SSH = """#!/bin/sh
printf '%s\\n' "$*" >>{log}
curl --silent --output /dev/null http://{address}{mark}
exit {code}
"""
"""Writes down its arguments, and leaves a mark in the double's log of calls."""
OPEN = {"ssh_cidrs": ["203.0.113.7/32"], "ssh_public_key": "ssh-ed25519 AAAA"}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Account]:
    with account(tmp_path / "account", "orderly", Home.find().tools) as one:
        yield one


def _program(one: Account, folder: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> Path:
    """Put an ``ssh`` first on the path; return its log."""
    log, program = folder / "log", folder / "ssh"
    program.write_text(SSH.format(log=log, address=one.address, mark=MARK, code=code))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return log


@pytest.mark.parametrize("code", [0, 255], ids=["stops", "refuses"])
def test_containers_stop_before_the_old_server_is_terminated(
    cloud: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    log = _program(cloud, tmp_path, monkeypatch, code)
    cloud.configure(scaleway=OPEN)
    cloud.up()
    cloud.configure(scaleway={**OPEN, "data_gb": 60})
    cloud.up()
    assert not log.exists(), "neither the first update nor another volume replaces the server"
    first = cloud.only("instance_server")["id"]
    address = cloud.only("instance_ip")["address"]

    cloud.configure(scaleway={**OPEN, "data_gb": 60}, registration="open")
    cloud.up()

    (line,) = log.read_text().splitlines()
    assert f"root@{address} docker compose --file /etc/labelspace/compose.yaml stop && sync" in line
    asked = [path for _, path, _ in cloud.cloud.calls]
    assert asked.index(MARK) < max(n for n, path in enumerate(asked) if path.endswith(f"{first}/action"))
    assert cloud.only("instance_server")["id"] != first
    cloud.pulumi("preview", "--expect-no-changes")


def test_without_ssh_an_update_says_that_nothing_was_stopped(cloud: Account) -> None:
    cloud.configure()
    cloud.up()
    cloud.configure(registration="open")
    said = cloud.pulumi("up", "--yes", "--skip-preview")
    assert "PostgreSQL replays its log (scaleway.ssh_cidrs is empty)" in said
    cloud.pulumi("destroy", "--yes", "--skip-preview")
    assert not cloud.cloud.all("instance_server")

"""What is refused, before anything is created, with field, value and next step."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.lab import PASSWORD, Lab, containers

from labelspace_ops.locks import hold

BAD_FLAGS = {
    "name": (["Bad_Name", "--bucket", "b-1"], "name: 'Bad_Name'"),
    "bucket": (["fresh", "--bucket", "UPPER"], "buckets.0.name: 'UPPER'"),
    "no bucket": (["fresh"], "at least one dataset bucket"),
    "e-mail": (["fresh", "--bucket", "b-1", "--admin-email", "nobody"], "admin.email: 'nobody'"),
    "target": (["fresh", "--bucket", "b-1", "--target", "moon"], "target: 'moon'"),
    "size": (["fresh", "--bucket", "b-1", "--size", "huge"], "size: 'huge'"),
    "version": (["fresh", "--bucket", "b-1", "--cvat-version", "2.15"], "cvat_version: '2.15'"),
    "listen": (["fresh", "--bucket", "b-1", "--listen", "nowhere"], "listen: 'nowhere'"),
}


@pytest.mark.parametrize("case", BAD_FLAGS)
def test_bad_flags(lab: Lab, case: str) -> None:
    flags, words = BAD_FLAGS[case]
    done = lab.run("create", *flags, "--yes")
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not containers("fresh")


@pytest.mark.parametrize("password", ["", "short1", "password123", "8301846512"])
def test_weak_passwords(lab: Lab, password: str) -> None:
    done = lab.run("create", "fresh", "--yes", "--bucket", "b-1", "--password-stdin", stdin=password + "\n")
    assert done.returncode == 2
    assert "admin: password" in done.stderr
    assert not password or password not in done.stderr
    assert not containers("fresh")


def test_a_port_in_use(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = lab.run("create", "fresh", "--yes", "--bucket", "b-1", "--port", port)
    assert done.returncode == 2
    assert f"port: {port} is in use" in done.stderr
    assert not containers("fresh")


def test_a_name_taken_by_a_workspace_with_other_buckets(lab: Lab, street: Any) -> None:
    done = lab.run("create", street["name"], "--yes", "--bucket", "something-else")
    assert done.returncode == 2
    assert f"name: {street['name']!r} is taken" in done.stderr


def test_a_name_taken_in_another_home(lab: Lab, street: Any, tmp_path: Path) -> None:
    (tmp_path / "tools").symlink_to(lab.home.tools)
    other = Lab(type(lab.home)(tmp_path))
    done = other.run("create", street["name"], "--yes", "--bucket", "b-1")
    assert done.returncode == 2
    assert "is taken" in done.stderr


@pytest.mark.parametrize("host", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:9"])
def test_no_docker_engine(lab: Lab, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    done = lab.run("create", "fresh", "--yes", "--bucket", "b-1")
    assert done.returncode == 1
    assert "Docker engine: none answers" in done.stderr


def test_uploads_that_cannot_be(lab: Lab, street: Any, tmp_path: Path) -> None:
    missing = lab.run("upload", street["name"], str(tmp_path / "nowhere"), "--bucket", "street")
    assert (missing.returncode, "does not exist" in missing.stderr) == (2, True)
    foreign = lab.run("upload", street["name"], str(tmp_path), "--bucket", "elsewhere")
    assert (foreign.returncode, "choose one of street, fields" in foreign.stderr) == (2, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_upload(lab: Lab, street: Any, tmp_path: Path) -> None:
    (tmp_path / "closed.png").touch(mode=0o000)
    done = lab.run("upload", street["name"], str(tmp_path), "--bucket", "street")
    assert (done.returncode, "cannot be read" in done.stderr) == (2, True)


def test_an_unknown_workspace(lab: Lab) -> None:
    done = lab.run("status", "nobody-made-this")
    assert done.returncode == 2
    assert "no such workspace" in done.stderr


def test_purge_wants_the_name_typed(lab: Lab, street: Any) -> None:
    done = lab.run("delete", street["name"], "--purge", stdin="something\n")
    assert done.returncode == 2
    assert "nothing was removed" in done.stderr
    assert containers(street["name"])


def test_a_second_command_waits_its_turn(lab: Lab, street: Any) -> None:
    with hold(lab.home, street["name"], "deleting"):
        done = lab.run("create", street["name"], "--yes")
        assert (done.returncode, "another labelspace command is deleting it" in done.stderr) == (1, True)
        assert '"status": "deleting"' in lab.run("status", street["name"], "--json").stdout


def test_a_password_is_not_asked_for_in_arguments(lab: Lab) -> None:
    done = lab.run("create", "--help")
    assert "--password-stdin" in done.stdout
    assert "--password " not in done.stdout
    assert PASSWORD not in done.stdout

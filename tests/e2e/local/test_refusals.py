"""What is refused, before anything is created, with field, value and next step."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.lab import PASSWORD, Lab, containers

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.locks import hold
from labelspace_ops.runtime import docker_engine
from labelspace_ops.storage import upload as uploads
from labelspace_ops.targets.local import preflight

BAD_FLAGS = {
    "name": (["Bad_Name", "--bucket", "b-1"], "name: 'Bad_Name'"),
    "bucket": (["fresh", "--bucket", "UPPER"], "buckets.0.name: 'UPPER'"),
    "no bucket": (["fresh"], "at least one dataset bucket"),
    "e-mail": (["fresh", "--bucket", "b-1", "--admin-email", "nobody"], "admin.email: 'nobody'"),
    "target": (["fresh", "--bucket", "b-1", "--target", "moon"], "target: 'moon'"),
    "size": (["fresh", "--bucket", "b-1", "--size", "huge"], "size: 'huge'"),
    "version": (["fresh", "--bucket", "b-1", "--cvat-version", "2.15"], "cvat_version: '2.15'"),
    "bind_address": (["fresh", "--bucket", "b-1", "--bind-address", "nowhere"], "bind_address: 'nowhere'"),
}


@pytest.mark.parametrize("case", BAD_FLAGS)
def test_bad_flags(lab: Lab, case: str) -> None:
    flags, words = BAD_FLAGS[case]
    done = lab.run("create", *flags, "--yes")
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not containers("fresh")


HALVES = {
    "audit of what": (["audit"], "annotations: missing: `labelspace audit"),
    "audit without project": (["audit", "fresh"], "project: give both the workspace and the project"),
    "audit of both": (["audit", "fresh", "--project", "P", "--annotations", "x.xml"], "not both"),
    "subset of a file": (["audit", "--annotations", "x.xml", "--write-subset", "s"],
                         "write-subset: needs a project"),
    "export to clean": (["export", "fresh", "--project", "P", "--format", "YOLO 1.1", "--for-training"],
                        "format: 'YOLO 1.1' cannot be cleaned"),
    "hold-out alone": (["export", "fresh", "--project", "P", "--hold-out", "s"],
                       "hold-out: needs --for-training"),
    "no folder": (["export", "fresh", "--project", "P", "--out", "/nowhere/x.zip"],
                  "/nowhere is not a folder"),
    "no labels": (["labels", "apply", "fresh"], "labels: no project in"),
    "no labels file": (["labels", "check", "/nowhere.yaml"], "No such file"),
}  # fmt: skip


@pytest.mark.parametrize("case", HALVES)
def test_incomplete_arguments_about_labels_and_audits(lab: Lab, case: str) -> None:
    words, said = HALVES[case]
    done = lab.run(*words)
    assert done.returncode == 2, done.stderr
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


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
    assert f"(street,fields): choose another name, or change that one: `labelspace set {street['name']}" in (
        done.stderr
    )
    assert "buckets=something-else`" in done.stderr


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
    assert f"Docker engine: none answers at {host} (DOCKER_HOST)" in done.stderr


def test_uploads_that_cannot_be(lab: Lab, street: Any, tmp_path: Path) -> None:
    missing = lab.run("upload", street["name"], str(tmp_path / "nowhere"), "--bucket", "street")
    assert (missing.returncode, "does not exist" in missing.stderr) == (2, True)
    foreign = lab.run("upload", street["name"], str(tmp_path), "--bucket", "foreign")
    assert (foreign.returncode, "choose one of street, fields" in foreign.stderr) == (2, True)


def test_files_that_can_never_be_uploaded_are_listed_and_the_others_are_uploaded(
    lab: Lab, street: Any, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "day").mkdir(parents=True)
    second.mkdir()
    (first / "day" / "1.txt").write_bytes(b"1")
    where = (street["name"], "--bucket", "street", "--prefix", "refused/")
    assert lab.run("upload", *where, str(first)).returncode == 0
    for name in ("2.txt", "day", "x" * 250):
        (second / name).write_bytes(b"2")
    Path(os.fsdecode(os.fsencode(second) + b"/caf\xe9.txt")).write_bytes(b"3")
    done = lab.run("upload", *where, str(second), "--json")
    result = json.loads(done.stdout)
    assert (done.returncode, result["uploaded"], result["skipped"]) == (1, 2, 0)
    assert result["rejected"] == {
        str(second / "day"): "its key is a folder in the bucket: rename one",
        f"{second}/caf\\xe9.txt": "its name is not UTF-8: rename it",
    }
    own = lab.run("upload", street["name"], str(first), "--bucket", "street", "--prefix", ".sgwtmp/")
    assert own.returncode == 1
    assert ".sgwtmp/ is reserved by the gateway" in " ".join(own.stderr.split())
    assert "0 uploaded, 0 already there, 1 cannot be uploaded" in own.stdout


NOBODY = 65534


@contextmanager
def _without_roots_rights() -> Iterator[None]:
    """What root may do to any file hides what others are refused."""
    root = os.geteuid() == 0
    if root:
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """A folder that every user of the machine can reach."""
    beneath = Path(tempfile.gettempdir())
    for folder in (tmp_path, *(one for one in tmp_path.parents if beneath in one.parents)):
        folder.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("inside", [False, True])
def test_an_unreadable_upload(public: Path, *, inside: bool) -> None:
    closed = public / "closed"
    closed.mkdir() if inside else closed.touch()
    closed.chmod(0o000)
    with _without_roots_rights(), pytest.raises(UsageError, match="closed cannot be read"):
        uploads.plan_upload([public], "")
    closed.chmod(0o755)


def test_an_engine_without_rights(public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door = public / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{door}")
    with socket.socket(socket.AF_UNIX) as engines:
        engines.bind(str(door))
        engines.listen()
        door.chmod(0o600)
        with _without_roots_rights(), pytest.raises(OpsError, match="add the user to the group 'docker'"):
            docker_engine.connect()


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of which nearly all is used."""
    if os.geteuid() != 0:
        pytest.skip("a disk of its own needs root")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(place)], check=True)
    (place / "ballast").write_bytes(b"x" * 15 * 2**20)
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_nearly_full(full: Path) -> None:
    with pytest.raises(OpsError, match=rf"disk: {full} has 0\.0 GiB free, 94 % used"):
        preflight.check_disk(docker_engine.data_folders(docker_engine.connect()), Home(full))


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

"""A workspace of this machine that moves to a server at Scaleway, booted for real.

The tests of this file go one after another through the life of one workspace there.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.cloud import Account
from tests.e2e.lab import PASSWORD, Lab, Visitor, admin_of, containers
from tests.e2e.machine import Machine, machine, until

KEY = "a-key-that-encrypts-what-is-in-the-bucket"
SETTINGS: dict[str, Any] = {"scaleway": {"database": "server"}, "backup": {"encryption_key": KEY}}
MEDIA = "/home/django/data/data/of-a-task"


UNSEEN = ["health", "certificate"]
"""What cannot be seen from here: nobody knows the domain."""


@pytest.fixture(scope="module")
def old(lab: Lab, street: Any) -> str:
    """The id of a backup of a workspace with an annotator, a project, and a file of CVAT's."""
    assert Visitor(street["api_url"]).sign_up("mover").status_code == 201
    assert admin_of(street).post("/api/projects", {"name": "moved"}).status_code == 201
    server = containers(street["name"])["server"]
    assert server.exec_run(["sh", "-c", f"mkdir -p {MEDIA} && echo pixels >{MEDIA}/one.txt"]).exit_code == 0
    return str(lab.json("backup", street["name"])["id"])


@pytest.fixture(scope="module")
def first() -> list[subprocess.CompletedProcess[str]]:
    """What ``create`` said when the server did not answer yet."""
    return []


@pytest.fixture(scope="module")
def server(
    lab: Lab,
    old: str,
    first: list[subprocess.CompletedProcess[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Machine]:
    kit = tmp_path_factory.mktemp("kit") / "kit"
    lab.run("keys", "export", str(kit))

    def make(account: Account) -> None:
        assert account.labelspace("keys", "import", str(kit)).returncode == 0
        first.append(account.labelspace("create", account.name, "--from-backup", _folder(lab, old), "--yes"))

    with machine(tmp_path_factory.mktemp("machine"), make, **SETTINGS) as one:
        _until_ready(one)
        yield one


def _folder(lab: Lab, old: str) -> str:
    (found,) = [path for path in lab.home.backups.iterdir() if (path / "database/backup/main" / old).exists()]
    return str(found)


def _until_ready(one: Machine) -> None:
    until(lambda: one.step() == "ready" and one.healthy(), "every part of CVAT works behind the URL")


def test_a_server_that_does_not_answer_leaves_it_half_made_and_says_so(
    server: Machine, first: list[subprocess.CompletedProcess[str]]
) -> None:
    """The backup was read, and made portable, before anything was created."""
    (said,) = first
    assert said.returncode == 1
    assert "packing the last archived change" in said.stderr
    assert f"is half made: `labelspace create {server.account.name}` goes on" in said.stderr
    measured = json.loads(server.account.labelspace("status", server.account.name, "--json").stdout)
    assert [one for one in measured["checks"] if one["name"] == "annotations" and not one["ok"]]
    assert measured["status"] == "degraded"


def test_another_origin_is_refused_meanwhile(server: Machine) -> None:
    done = server.account.labelspace("create", server.account.name, "--from-backup", "other.dump", "--yes")
    assert done.returncode == 2
    assert "is half made from" in done.stderr


def test_the_same_command_goes_on_and_brings_annotations_and_files(server: Machine) -> None:
    done = server.account.labelspace("create", server.account.name, "--yes", "--json")
    assert [one["name"] for one in json.loads(done.stdout)["checks"] if not one["ok"]] == UNSEEN
    _until_ready(server)
    assert server.visitor().log_in("mover", PASSWORD).status_code == 200
    admin = server.visitor()
    answer = admin.log_in(server.outputs["admin_username"], server.outputs["admin_password"])
    assert answer.status_code == 200
    assert "moved" in [row["name"] for row in admin.get("/api/projects").json()["results"]]
    within = ("docker", "exec", f"labelspace-{server.account.name}-server", "cat", f"{MEDIA}/one.txt")
    assert server.inside(*within) == "pixels\n"
    assert not server.succeeds("test", "-e", "/var/lib/labelspace/from")


def test_it_is_backed_up_at_once_and_whole(server: Machine) -> None:
    newest = server.labelspace("backups")["backups"][-1]
    assert (newest["complete"], bool(newest["files"])) == (True, True)
    proof = server.labelspace("drill", "--backup", newest["id"])
    assert (proof["ok"], proof["missing"]) == (True, [])


def test_afterwards_it_is_a_workspace_like_any_other(server: Machine) -> None:
    measured = json.loads(server.account.labelspace("status", server.account.name, "--json").stdout)
    assert not [one for one in measured["checks"] if one["name"] == "annotations"]
    done = server.account.labelspace("create", server.account.name, "--from-backup", "x.dump", "--yes")
    assert (done.returncode, "is a workspace already" in done.stderr) == (2, True)

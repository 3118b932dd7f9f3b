"""One workspace, from one command to a team at work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.lab import ADMIN, PASSWORD, Lab, Visitor, admin_of, containers, task_of
from tests.paths import ROOT

from labelspace_ops.stack import state

STATUS_KEYS = {
    *("name", "target", "description", "status", "since", "url", "api_url", "cvat_version", "admin_username"),
    *("buckets", "backup", "checks", "cvat_state", "certificate_until", "warnings"),
}


BUCKET_KEYS = {"name", "endpoint", "objects", "bytes", "unreadable", "first_unreadable"}


def test_create_prints_the_status_that_scripts_rely_on(street: Any) -> None:
    assert set(street) == STATUS_KEYS
    assert street["status"] == "ready"
    assert street["admin_username"] == ADMIN
    assert street["url"].startswith(f"http://{street['name']}.localhost:")
    assert [set(bucket) for bucket in street["buckets"]] == [BUCKET_KEYS] * 2
    assert all(set(check) == {"name", "ok", "detail"} for check in street["checks"])


def test_list_and_credentials(lab: Lab, street: Any) -> None:
    rows = lab.json("list")
    assert {"name": street["name"], "target": "local", "status": "ready", "url": street["url"]} in rows
    shown = lab.json("credentials", street["name"])
    assert shown == {"username": ADMIN, "email": "head@example.org", "password": PASSWORD}


def test_the_workspaces_are_those_that_pulumi_lists(lab: Lab, street: Any) -> None:
    listed = json.loads(lab.plain("stack", "ls", "--json").stdout)
    assert street["name"] in [one["name"] for one in listed]
    assert state.names(lab.home) == sorted(one["name"] for one in listed)


def test_a_second_preview_and_a_refresh_find_nothing_to_do(lab: Lab, street: Any) -> None:
    assert "unchanged" in lab.pulumi("preview", "--stack", street["name"], "--expect-no-changes")
    assert "unchanged" in lab.pulumi("refresh", "--stack", street["name"], "--yes", "--expect-no-changes")


def test_a_second_create_changes_nothing(lab: Lab, street: Any) -> None:
    before = {part: one.id for part, one in containers(street["name"]).items()}
    assert lab.json("create", street["name"], "--yes")["status"] == "ready"
    assert {part: one.id for part, one in containers(street["name"]).items()} == before


def test_the_database_is_archived_and_backed_up_from_the_start(lab: Lab, street: Any) -> None:
    assert street["backup"]["copies"] == 1
    backup = lab.json("status", street["name"])["backup"]
    assert backup["copies"] >= 1  # other tests may have taken more
    assert len(backup["last_archived"]) == 24
    assert list(Path(backup["where"]).rglob("*.manifest"))


def test_datasets_are_under_connected_file_share(street: Any) -> None:
    admin = admin_of(street)
    assert [row["name"] for row in admin.get("/api/server/share").json()] == ["fields", "street"]
    names = {
        row["name"]: row["mime_type"] for row in admin.get("/api/server/share?directory=/street/").json()
    }
    assert names.items() >= {"a.png": "image", "notes.txt": "unknown", "night shots": "DIR"}.items()


def test_the_gateways_own_folders_are_swept_from_the_share(street: Any) -> None:
    deadline = time.monotonic() + 60
    admin = admin_of(street)
    while time.monotonic() < deadline:
        names = {row["name"] for row in admin.get("/api/server/share?directory=/street/").json()}
        if ".sgwtmp" not in names:
            break
        time.sleep(1)
    assert names == {"a.png", "night shots", "größe", "notes.txt"}


def test_an_upload_can_be_repeated(lab: Lab, street: Any, dataset: Path) -> None:
    again = lab.json("upload", street["name"], str(dataset), "--bucket", "street")
    known = {"bucket": "street", "not_media": ["notes.txt"], "unreadable": [], "rejected": {}}
    assert again == {**known, "uploaded": 0, "skipped": 4}
    warned = lab.run("upload", street["name"], str(dataset), "--bucket", "street").stderr
    assert "CVAT cannot open notes.txt" in warned


def test_an_annotator_sees_only_what_the_admin_assigns(street: Any) -> None:
    admin, annotator = admin_of(street), Visitor(street["api_url"])
    number = task_of(admin, "first")
    assert admin.get(f"/api/tasks/{number}").json()["size"] == 3
    assert annotator.sign_up("annotator-one").status_code == 201
    me = annotator.get("/api/users/self").json()
    assert me["groups"] == ["worker"]
    assert annotator.get("/api/tasks").json()["results"] == []
    assert annotator.get("/api/server/share").status_code == 403
    assert annotator.post("/api/tasks", {"name": "mine"}).status_code == 403
    assert admin.patch(f"/api/tasks/{number}", {"assignee_id": me["id"]}).status_code == 200
    assert [task["id"] for task in annotator.get("/api/tasks").json()["results"]] == [number]
    assert (
        annotator.get(f"/api/tasks/{number}/data?type=frame&number=0")
        .headers["content-type"]
        .startswith("image/")
    )
    assert admin.patch(f"/api/users/{me['id']}", {"groups": ["user"]}).status_code == 200
    assert annotator.get("/api/server/share").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/auth/register",
        "/api/auth/%72egister",
        "/api/auth%2Fregister",
        "/api//auth/register",
        "/API/auth/register",
    ],
)
def test_closed_registration_makes_no_account(clinic: Any, path: str) -> None:
    visitor = Visitor(clinic["api_url"])
    answer = visitor.post(path, {"username": "stranger", "password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code in (403, 404, 405)
    assert [user["username"] for user in admin_of(clinic).get("/api/users").json()["results"]] == [ADMIN]


def test_two_workspaces_are_apart(lab: Lab, street: Any, clinic: Any) -> None:
    assert street["api_url"] != clinic["api_url"]
    admin = admin_of(street)
    admin_of(clinic)
    assert admin.get("/api/users/self").status_code == 200
    assert [row["name"] for row in admin_of(clinic).get("/api/server/share").json()] == ["street"]
    networks = [set(one.attrs["NetworkSettings"]["Networks"]) for one in containers(street["name"]).values()]
    assert networks == [{f"labelspace-{street['name']}"}] * len(networks)
    shared = {
        mount["Name"]
        for one in containers(street["name"]).values()
        for mount in one.attrs["Mounts"]
        if "Name" in mount
    }
    others = {
        mount["Name"]
        for one in containers(clinic["name"]).values()
        for mount in one.attrs["Mounts"]
        if "Name" in mount
    }
    assert not shared & others


@pytest.fixture
def neighbour() -> Iterator[str]:
    """A second machine, as far as the kernel goes: a network namespace that sees this one at 198.51.100.1."""
    name, here, there = "labelspace-test", "lbs-here", "lbs-there"
    for command in (
        f"ip netns add {name}",
        f"ip link add {here} type veth peer name {there} netns {name}",
        f"ip address add 198.51.100.1/30 dev {here}",
        f"ip link set {here} up",
        f"ip -n {name} address add 198.51.100.2/30 dev {there}",
        f"ip -n {name} link set {there} up",
    ):
        subprocess.run(command.split(), check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")
def test_a_network_reaches_what_listens_for_it_alone(street: Any, clinic: Any, neighbour: str) -> None:
    def reached(measured: dict[str, Any]) -> bool:
        port = measured["api_url"].rsplit(":", 1)[1]
        url = f"http://198.51.100.1:{port}/api/server/about"
        script = f"import urllib.request as u; print(u.urlopen({url!r}, timeout=5).read())"
        command = ["ip", "netns", "exec", neighbour, sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, check=False)
        return b"version" in done.stdout

    assert reached(clinic)
    assert not reached(street)


def test_django_admin_opens_for_the_admin(street: Any) -> None:
    page = admin_of(street).get("/admin/")
    assert page.status_code == 200
    assert "Site administration" in page.text
    assert httpx.get(f"{street['api_url']}/admin/").status_code == 302


def test_plain_pulumi_changes_password_and_description_in_place(lab: Lab, street: Any) -> None:
    name, other = street["name"], "Another-phrase-of-2026"
    annotator = Visitor(street["api_url"])
    assert annotator.sign_up("annotator-two").status_code == 201
    token = Visitor(street["api_url"]).log_in(ADMIN, PASSWORD).json()["key"]
    before = containers(name)["database"].id
    lab.pulumi("config", "set", "--stack", name, "--secret", "--path", "labelspace:admin.password", other)
    lab.pulumi("config", "set", "--stack", name, "labelspace:description", "renamed")
    lab.pulumi("up", "--stack", name, "--yes", "--skip-preview")
    try:
        assert Visitor(street["api_url"]).log_in(ADMIN, PASSWORD).status_code == 400
        assert Visitor(street["api_url"]).log_in(ADMIN, other).status_code == 200
        assert Visitor(street["api_url"]).log_in("annotator-two", PASSWORD).status_code == 200
        headers = {"Authorization": f"Token {token}"}
        assert httpx.get(f"{street['api_url']}/api/users/self", headers=headers).status_code == 401
        assert containers(name)["database"].id == before
        assert lab.json("status", name)["description"] == "renamed"
    finally:
        lab.pulumi(
            "config", "set", "--stack", name, "--secret", "--path", "labelspace:admin.password", PASSWORD
        )
        lab.pulumi("up", "--stack", name, "--yes", "--skip-preview")


def test_a_bucket_added_later_adopts_the_folder_that_is_there(lab: Lab, clinic: Any) -> None:
    folder = lab.home.buckets / "older"
    folder.mkdir(parents=True)
    (folder / "kept.txt").write_text("as it was")
    folder.chmod(0o755)
    admin = admin_of(clinic)
    _ = admin.post("/api/projects", {"name": "stays"})
    lab.pulumi("config", "set", "--stack", clinic["name"], "--path", "labelspace:buckets[1].name", "older")
    lab.pulumi("up", "--stack", clinic["name"], "--yes", "--skip-preview")
    measured = lab.until_ready(clinic["name"])
    assert {bucket["name"]: bucket["objects"] for bucket in measured["buckets"]}["older"] == 1
    assert (folder / "kept.txt").read_text() == "as it was"
    assert [row["name"] for row in admin_of(clinic).get("/api/projects").json()["results"]] == ["stays"]


def test_no_secret_shows_anywhere(lab: Lab, street: Any) -> None:
    name = street["name"]
    exported = json.loads(lab.pulumi("stack", "export", "--stack", name, "--show-secrets"))
    made = [
        one["outputs"]["result"]
        for one in exported["deployment"]["resources"]
        if one["type"].endswith(":RandomPassword")
    ]
    values = {PASSWORD, *(json.loads(one["plaintext"]) if isinstance(one, dict) else one for one in made)}
    assert len(values) == 6
    for where, text in _places(lab, name).items():
        assert text, where
        assert not [value for value in values if value in text], f"a secret shows in {where}"


def _places(lab: Lab, name: str) -> dict[str, str]:
    mine = containers(name)
    state = [path for path in (lab.state / ".pulumi").rglob("*") if path.is_file()]
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(process.read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return {
        "docker inspect": json.dumps([one.attrs for one in mine.values()]),
        "container logs": "\n".join(one.logs().decode(errors="replace") for one in mine.values()),
        "process list": "\n".join(lines),
        "environment of the database's processes": _environments(mine["database"]),
        "state": "\n".join(path.read_bytes().decode(errors="replace") for path in state),
        "stack file": (ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text(),
        "preview": lab.pulumi("preview", "--stack", name, "--diff", "--show-sames"),
        "status": lab.run("status", name, "--json").stdout,
    }


def _environments(container: Any) -> str:
    pids = [row[1] for row in container.top()["Processes"]]
    return "\n".join(Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace") for pid in pids)


ROOT_INSIDE = {"database", "gateway"}
"""Start as root by the image's own design; of root's rights they keep what they name."""


def test_readiness_begins_after_the_migrations(lab: Lab, street: Any) -> None:
    """A real server is healthy before the last of them made the group that the admin joins."""
    exported = json.loads(lab.pulumi("stack", "export", "--stack", street["name"]))
    parts = {one["urn"].rpartition("-")[2]: one for one in exported["deployment"]["resources"]}
    assert parts["migrate"]["urn"] in parts["readiness"]["dependencies"]


def test_containers_are_confined(street: Any) -> None:
    for part, one in containers(street["name"]).items():
        host, config = one.attrs["HostConfig"], one.attrs["Config"]
        assert not host["Privileged"], part
        assert host["CapDrop"] == ["ALL"], part
        assert "no-new-privileges" in host["SecurityOpt"], part
        assert host["Memory"] > 0, part
        assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}}, (
            part
        )
        assert "docker.sock" not in json.dumps(one.attrs["Mounts"]), part
        bindings = [binding for ports in (host["PortBindings"] or {}).values() for binding in ports]
        assert all(binding["HostIp"] == "127.0.0.1" for binding in bindings), part
        assert bool(bindings) == (part in ("proxy", "gateway")), part
        one_shot = host["RestartPolicy"]["Name"] == "no"
        assert one_shot or config["Healthcheck"]["Test"], part
        if part not in ROOT_INSIDE and not part.startswith("bucket-"):
            assert config["User"] not in ("", "root", "0"), part

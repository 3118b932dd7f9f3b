"""Backups in a remote bucket: moved there, proven, restored; the endpoint stops; the workspace is deleted."""

from __future__ import annotations

import json
import secrets
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import pytest
from testbed.inside import inside
from tests.e2e.endpoint import Endpoint, endpoint
from tests.e2e.lab import PASSWORD, Lab, admin_of, alone, containers, until
from tests.paths import ROOT

from labelspace.spec import parse_spec
from labelspace_ops.backup import import_backup
from labelspace_ops.runtime import docker_engine
from labelspace_ops.runtime.docker_engine import DockerRuntime


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The endpoint, with its keys and its authority in the environment."""
    with endpoint(tmp_path_factory.mktemp("tls")) as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", made.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", made.secret_key)
        patch.setenv("AWS_CA_BUNDLE", str(made.authority))
        yield made


@contextmanager
def processes() -> Iterator[set[str]]:
    """The words of every process of this machine, in containers or not, that begins meanwhile."""
    seen, over = set[str](), threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for one in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(one.read_text(errors="replace").replace("\0", " "))

    watch = threading.Thread(target=look, daemon=True)
    watch.start()
    try:
        yield seen
    finally:
        over.set()
        watch.join()


@pytest.fixture(scope="module")
def orchard(lab: Lab, remote: Endpoint) -> Iterator[Any]:
    """A workspace whose backups begin in a folder."""
    name = f"o{secrets.token_hex(3)}"
    try:
        with processes() as seen:
            measured = lab.create(name, "--bucket", "apples")
        mine = [words for words in seen if name in words]
        assert any("config set labelspace:admin.password" in words for words in mine)
        assert not [words for words in mine if PASSWORD in words]
        assert admin_of(measured).post("/api/projects", {"name": "first"}).status_code == 201
        yield measured
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")
        assert remote.keys("kept", f"labelspace/{name}/") == []


def _projects(name: str) -> str:
    command = ["psql", "-U", "cvat", "-Atc", "select name from engine_project order by id", "cvat"]
    code, said = inside(containers(name)["database"], command)
    assert code == 0, said
    return said.decode().strip()


def _ids(lab: Lab, name: str) -> list[str]:
    return [row["id"] for row in lab.json("backups", name)["backups"] if row["complete"]]


def _begun_from(lab: Lab, text: str, backup: dict[str, Any]) -> int:
    """How many projects a new workspace begins with."""
    name = f"n{secrets.token_hex(3)}"
    runtime = DockerRuntime.here(name)
    spec = parse_spec({"name": name, "buckets": [{"name": "apples"}], "backup": backup})
    try:
        import_backup.fill(runtime, import_backup.find(runtime, text, spec, lab.home), spec, lab.home)
        said = alone(name, "select 'project ' || name as found from engine_project")
        return said.count('found = "project ')
    finally:
        docker_engine.remove_data(runtime.client, name, lab.home.backups / name)


def _bucket(remote: Endpoint) -> dict[str, Any]:
    keys = {"access_key": remote.access_key, "secret_key": remote.secret_key}
    authority = {"ca_certificate": remote.authority.read_text()}
    return {"bucket": {"name": "kept", "endpoint": remote.url, **keys, **authority}}


def test_a_workspace_begins_from_the_id_of_a_backup(lab: Lab, orchard: Any) -> None:
    taken = lab.json("backup", orchard["name"])["id"]
    assert admin_of(orchard).post("/api/projects", {"name": "second"}).status_code == 201
    lab.json("backup", orchard["name"])
    assert _begun_from(lab, taken, {}) == 1
    unknown = lab.run("create", "fresh", "--yes", "--bucket", "apples", "--from-backup", "20200101-000000F")
    assert (unknown.returncode, "nor the id of a backup" in unknown.stderr) == (2, True), unknown.stderr


def test_a_bucket_that_does_not_answer_is_refused(lab: Lab, orchard: Any, remote: Endpoint) -> None:
    before = containers(orchard["name"])["database"].id
    done = lab.run("set", orchard["name"], f"backup.bucket=nowhere@{remote.url}", "--yes")
    assert done.returncode == 2, done.stderr
    assert f"backup.bucket: 'nowhere' at {remote.url} cannot be listed" in done.stderr
    assert remote.secret_key not in done.stderr
    assert containers(orchard["name"])["database"].id == before


def test_backups_move_to_a_bucket_and_its_keys_show_nowhere(lab: Lab, orchard: Any, remote: Endpoint) -> None:
    name, hidden = orchard["name"], (remote.secret_key, lab.home.backup_key(orchard["name"]).read_text())
    with processes() as seen:
        lab.json("set", name, f"backup.bucket=kept@{remote.url}", "--yes")
        taken = lab.json("backup", name)["id"]
        proof = lab.json("drill", name)
    assert (proof["ok"], proof["backup"]) == (True, taken)
    assert _ids(lab, name)[-1] == taken
    assert any(f"labelspace set {name}" in words for words in seen)
    shown = [*seen, (ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text()]
    shown += [lab.pulumi("preview", "--stack", name, "--diff", "--show-sames")]
    shown += [path.read_text() for path in lab.state.rglob("*.json*")]
    for one in containers(name).values():
        shown += [json.dumps(one.attrs), one.logs().decode(errors="replace")]
    assert not [text[:200] for text in shown if any(key.strip() in text for key in hidden)]
    for half in ("database/backup/main", "database/archive/main", "files/snapshots"):
        assert remote.keys("kept", f"labelspace/{name}/{half}/"), half
    assert {path.name for path in (lab.home.backups / name).iterdir()} >= {"proofs"}
    status = lab.until_ready(name)
    assert status["backup"]["where"] == f"s3://kept/labelspace/{name}"
    assert status["backup"]["free_bytes"] is None


def test_a_backup_in_a_bucket_is_restored(lab: Lab, orchard: Any) -> None:
    name, taken = orchard["name"], _ids(lab, orchard["name"])[-1]
    assert admin_of(orchard).post("/api/projects", {"name": "mistaken"}).status_code == 201
    done = lab.json("restore", name, "--backup", taken, "--yes")
    assert (done["from_backup"], bool(done["kept"])) == (taken, True)
    assert _projects(name) == "first\nsecond"
    assert lab.until_ready(name)["status"] == "ready"


def test_a_place_out_of_reach_is_reported_and_used_again(lab: Lab, orchard: Any, remote: Endpoint) -> None:
    name, before = orchard["name"], _ids(lab, orchard["name"])
    remote.one.stop(timeout=5)
    try:
        for words in (["backup", name], ["drill", name], ["restore", name, "--yes"], ["backups", name]):
            done = lab.run(*words)
            assert (done.returncode, "is out of reach" in done.stderr) == (1, True), done.stderr
        measured = json.loads(lab.run("status", name, "--json").stdout)
        why = " ".join(check["detail"] for check in measured["checks"] if not check["ok"])
        assert (measured["status"], "is out of reach" in why) == ("degraded", True), why
        assert _projects(name) == "first\nsecond"
    finally:
        remote.one.start()
    until(remote.answers, "the endpoint is back")
    taken = lab.json("backup", name)["id"]
    assert _ids(lab, name) == [*before, taken]
    assert lab.until_ready(name)["status"] == "ready"


def _formatted(name: str, now: int, then: int) -> None:
    """Let the repository say that it is of another format of pgBackRest."""
    tool, folder = "pgbackrest --stanza=main", f"/labelspace/{name}/database/backup/main"
    for file in ("backup.info", "backup.info.copy"):
        change = (
            f"{tool} repo-get {folder}/{file} > /tmp/info"
            f" && sed -i 's/^backrest-format={now}$/backrest-format={then}/' /tmp/info"
            f" && {tool} repo-put {folder}/{file} < /tmp/info && rm /tmp/info"
        )
        done = containers(name)["database"].exec_run(["sh", "-ec", change], user="postgres")
        assert done.exit_code == 0, done.output


def test_a_repository_of_a_newer_version_is_refused(lab: Lab, orchard: Any) -> None:
    name, before = orchard["name"], containers(orchard["name"])
    _formatted(orchard["name"], 5, 6)
    try:
        for words in (["backups", name], ["backup", name], ["restore", name, "--yes"]):
            done = lab.run(*words)
            assert done.returncode == 1, (words, done.stdout)
            assert "of pgBackRest's format 6, this labelspace reads format 5" in done.stderr, words
        measured = json.loads(lab.run("status", name, "--json").stdout)
        assert measured["status"] == "degraded"
        now = containers(name)
        assert {part: one.attrs["State"]["StartedAt"] for part, one in now.items()} == {
            part: one.attrs["State"]["StartedAt"] for part, one in before.items()
        }
    finally:
        _formatted(name, 6, 5)
    assert lab.json("backup", name)["id"]


def _empty(remote: Endpoint, name: str) -> None:
    """Remove the workspace's backups from the bucket."""
    prefix, s3 = f"labelspace/{name}/", remote.client()
    for key in remote.keys("kept", prefix):
        s3.delete_object(Bucket="kept", Key=key)
    assert remote.keys("kept", prefix) == []


def _refused(lab: Lab, name: str, lost: str, *words: str) -> None:
    done = lab.run(*words)
    assert done.returncode == 1, (words, done.stdout)
    for text in (
        f"/kept/labelspace/{name} are gone: it holds no backups, and the newest was {lost} of 20",
        f"`labelspace backups {name} --accept {lost}`",
    ):
        assert text in done.stderr, (words, done.stderr)


def test_a_bucket_that_is_emptied_is_not_begun_again_in_silence(
    lab: Lab, orchard: Any, remote: Endpoint
) -> None:
    name = orchard["name"]
    lost = lab.json("backup", name)["id"]
    _empty(remote, name)
    checks = lab.json_of_degraded("status", name)["checks"]
    failed = [check["detail"] for check in checks if check["name"] == "backups" and not check["ok"]]
    assert any(f"the newest was {lost}" in detail for detail in failed), failed
    for words in (
        ["backup", name],
        ["create", name, "--yes"],
        ["backups", name, "--accept", "20200101-000000F"],
    ):
        _refused(lab, name, lost, *words)
    assert remote.keys("kept", f"labelspace/{name}/") == [], "new backups began"

    lab.json("backups", name, "--accept", lost)
    begun = _ids(lab, name)
    assert len(begun) == 1
    assert begun[0] != lost
    taken = lab.json("backup", name)["id"]
    assert _ids(lab, name) == [*begun, taken]
    assert lab.json("drill", name)["ok"]
    assert lab.until_ready(name)["status"] == "ready"
    assert _projects(name) == "first\nsecond"


def test_a_bucket_that_is_emptied_while_the_workspace_is_stopped(
    lab: Lab, orchard: Any, remote: Endpoint
) -> None:
    name = orchard["name"]
    lab.json("stop", name)
    lost = _ids(lab, name)[-1]
    _empty(remote, name)
    _refused(lab, name, lost, "start", name)
    assert lab.json("backups", name, "--accept", lost)["backups"] == []
    lab.json("start", name)
    assert lab.until_ready(name)["status"] == "ready"
    assert len(_ids(lab, name)) == 1
    assert _projects(name) == "first\nsecond"


def test_a_deleted_workspace_comes_back_from_the_bucket_alone(
    lab: Lab, orchard: Any, remote: Endpoint
) -> None:
    name = orchard["name"]
    done = lab.json("delete", name, "--yes")
    assert done["backups"] == f"s3://kept/labelspace/{name}"
    prefix = f"labelspace/{name}/database/backup/main/{done['last_backup']}"
    assert remote.keys("kept", prefix)
    assert not containers(name)
    docker.from_env().volumes.get(f"labelspace-{name}-database").remove()

    found = lab.run(*shlex.split(done["come_back"])[1:], "--yes")
    assert found.returncode == 1, found.stderr
    assert f"`labelspace restore {name}` brings back what was in it" in found.stderr
    lab.json("restore", name, "--yes")
    measured = lab.json("create", name, "--yes")
    assert measured["status"] == "ready"
    assert _projects(name) == "first\nsecond"
    assert done["last_backup"] in _ids(lab, name)


def test_another_workspace_begins_from_what_is_in_the_bucket(
    lab: Lab, orchard: Any, remote: Endpoint
) -> None:
    before = set(remote.keys("kept", ""))
    text = f"s3://kept/labelspace/{orchard['name']}"
    assert _begun_from(lab, text, _bucket(remote)) == 2
    assert _begun_from(lab, _ids(lab, orchard["name"])[-1], {}) == 2
    assert before <= set(remote.keys("kept", ""))
    done = lab.run("create", "fresh", "--yes", "--bucket", "apples", "--from-backup", text)
    assert (done.returncode, "--backup-bucket NAME@https://ENDPOINT" in done.stderr) == (2, True), done.stderr

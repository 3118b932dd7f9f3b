"""A long life: backups fail and are noticed, versions are judged, what is removed comes back."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from testbed import upgrades
from testbed.inside import inside
from tests.e2e.lab import ADMIN, PASSWORD, Lab, Visitor, admin_of, alone, containers, ports, until

from labelspace.home import Home
from labelspace.naming import WORKSPACE_LABEL
from labelspace.spec import parse_spec
from labelspace_ops.backup import import_backup
from labelspace_ops.runtime import docker_engine
from labelspace_ops.runtime.docker_engine import DockerRuntime

OLD = "2.73.0"


@pytest.fixture(scope="module")
def lab(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A home whose backups are on a small disk of their own."""
    if os.geteuid() != 0:
        pytest.skip("a disk of its own needs root")
    home = _home(lab, tmp_path_factory.mktemp("small-disk"))
    home.backups.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "none", str(home.backups)], check=True)
    yield Lab(home)
    subprocess.run(["umount", str(home.backups)], check=True)


def _home(lab: Lab, folder: Path) -> Home:
    home = Home(folder)
    home.root.parent.chmod(0o755)
    home.root.chmod(0o755)
    home.tools.symlink_to(lab.home.tools)
    return home


@pytest.fixture(scope="module")
def aging(lab: Lab) -> Iterator[Any]:
    """A workspace with two projects: its backups will fail, it will be upgraded, deleted, made again."""
    upgrades.prepare()
    name = f"u{secrets.token_hex(3)}"
    try:
        measured = lab.create(name, "--bucket", "aging")
        for project in ("first", "second"):
            assert admin_of(measured).post("/api/projects", {"name": project}).status_code == 201
        yield measured
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")
        assert not (lab.home.backups / name).exists()


def _projects(measured: Any) -> set[str]:
    return {row["name"] for row in admin_of(measured).get("/api/projects").json()["results"]}


def _version(measured: Any) -> str:
    return str(httpx.get(f"{measured['api_url']}/api/server/about").json()["version"])


def _nothing_is_left_of_a_rehearsal(name: str) -> None:
    client = docker.from_env()
    assert not [part for part in containers(name) if part.startswith("rehearsal")]
    mine = {"label": f"{WORKSPACE_LABEL}={name}"}
    assert [network.name for network in client.networks.list(filters=mine)] == [f"labelspace-{name}"]


def _as_it_was(lab: Lab, measured: Any, before: dict[str, Any]) -> None:
    now = containers(measured["name"])
    assert {part: one.id for part, one in now.items()} == {part: one.id for part, one in before.items()}
    assert _version(measured) == OLD
    assert _projects(measured) == {"first", "second"}
    assert lab.json("status", measured["name"])["status"] == "ready"
    _nothing_is_left_of_a_rehearsal(measured["name"])


def _ids(lab: Lab, name: str) -> list[str]:
    return [row["id"] for row in lab.json("backups", name)["backups"] if row["complete"]]


def _reasons(lab: Lab, name: str) -> tuple[str, str]:
    """The status, and what it gives as reasons."""
    measured = json.loads(lab.run("status", name, "--json").stdout)
    return measured["status"], " ".join(check["detail"] for check in measured["checks"] if not check["ok"])


def test_a_full_or_read_only_place_is_reported_and_nothing_is_lost(lab: Lab, aging: Any) -> None:
    name, ballast = aging["name"], lab.home.backups / "ballast"
    before = _ids(lab, name)
    words = ["dd", "if=/dev/zero", f"of={ballast}", "bs=1M"]
    assert b"No space left" in subprocess.run(words, capture_output=True, check=False).stderr
    full = lab.run("backup", name, "--full")
    assert (full.returncode, "No space left" in full.stderr) == (1, True), full.stderr
    status, why = _reasons(lab, name)
    assert (status, "100 % full" in why) == ("degraded", True), why
    ballast.unlink()

    subprocess.run(["mount", "-o", "remount,ro", str(lab.home.backups)], check=True)
    try:
        fixed = lab.run("backup", name)
        assert (fixed.returncode, "Read-only file system" in fixed.stderr) == (1, True), fixed.stderr
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(lab.home.backups)], check=True)
    assert _ids(lab, name) == before
    taken = lab.json("backup", name)["id"]
    assert _ids(lab, name) == [*before, taken]
    assert lab.until_ready(name)["status"] == "ready"


def test_a_machine_that_dies_in_mid_backup(lab: Lab, aging: Any) -> None:
    name, before = aging["name"], _ids(lab, aging["name"])
    with ThreadPoolExecutor(1) as executor:
        cut = executor.submit(lab.run, "backup", name, "--full")
        until(lambda: "--type=full" in str(containers(name)["database"].top()), "a backup runs")
        os.kill(containers(name)["database"].attrs["State"]["Pid"], signal.SIGKILL)
        assert cut.result().returncode == 1
    lab.until_ready(name)
    assert _ids(lab, name) == before
    assert lab.json("backup", name, "--full")["kind"] == "full"


def test_a_damaged_backup_fails_its_drill_and_the_one_before_it_is_restored(lab: Lab, aging: Any) -> None:
    name = aging["name"]
    older = lab.json("backup", name)["id"]
    assert admin_of(aging).post("/api/projects", {"name": "third"}).status_code == 201
    newer = lab.json("backup", name)["id"]
    _damage(lab.home.backups / name / "database" / "backup" / "main" / newer)

    drilled = lab.run("drill", name)
    assert drilled.returncode == 1
    assert f"the drill of {newer} failed" in drilled.stderr
    status, why = _reasons(lab, name)
    assert (status, f"the last one failed ({newer})" in why) == ("degraded", True), why
    assert inside(containers(name)["database"], ["ls", "/var/lib/postgresql"])[1] == b"data\n"
    assert _projects(aging) == {"first", "second", "third"}

    refused = lab.run("restore", name, "--backup", newer, "--yes")
    assert (refused.returncode, "What was there is unchanged" in refused.stderr) == (1, True), refused.stderr
    done = lab.run("restore", name, "--backup", older, "--yes")
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in drilled.stderr + refused.stderr + done.stdout + done.stderr
    assert _projects(aging) == {"first", "second"}
    lab.json("backup", name, "--full")  # others would lean on what is damaged
    assert lab.json("drill", name)["ok"]
    assert lab.until_ready(name)["status"] == "ready"


def _damage(folder: Path) -> None:
    """Another byte in the middle of each of a backup's files, its list of them left as it is."""
    files = [path for path in folder.rglob("*") if path.is_file() and "manifest" not in path.name]
    assert files
    for path in files:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)


def test_a_preview_says_what_an_upgrade_does(lab: Lab, aging: Any) -> None:
    said = lab.run("preview", aging["name"], f"cvat_version={upgrades.VERSIONS['good']}").stdout
    assert f"cvat_version: {OLD} -> {upgrades.VERSIONS['good']}" in said
    assert "first a backup, then a rehearsal" in said
    assert "AT RISK" not in said


def test_a_version_that_loses_rows_is_found_and_nothing_changes(lab: Lab, aging: Any) -> None:
    before = containers(aging["name"])
    done = lab.run("set", aging["name"], f"cvat_version={upgrades.VERSIONS['losing']}", "--yes")
    assert done.returncode == 1
    assert "would lose rows: public.engine_project: 1 instead of 2" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    _as_it_was(lab, aging, before)
    lab.pulumi("preview", "--stack", aging["name"], "--expect-no-changes")  # its settings too


def test_plain_pulumi_rehearses_a_version_that_fails_and_changes_nothing(lab: Lab, aging: Any) -> None:
    name, before = aging["name"], containers(aging["name"])
    lab.pulumi("config", "set", "--stack", name, "labelspace:cvat_version", upgrades.VERSIONS["failing"])
    said = lab.pulumi("up", "--stack", name, "--yes", "--skip-preview", fails=True)
    assert "the rehearsal failed: its migration ended with 1: ValueError: cannot convert 2 projects" in said
    _as_it_was(lab, aging, before)
    lab.pulumi("config", "set", "--stack", name, "labelspace:cvat_version", OLD)


def test_a_good_version_is_taken_and_there_is_no_way_back_by_itself(lab: Lab, aging: Any) -> None:
    name, copies = aging["name"], len(lab.json("backups", aging["name"])["backups"])
    measured = lab.json("set", name, f"cvat_version={upgrades.VERSIONS['good']}", "--yes")
    assert (measured["status"], measured["cvat_version"]) == ("ready", upgrades.VERSIONS["good"])
    assert _version(measured) == upgrades.VERSIONS["good"]
    assert _projects(measured) == {"first", "second"}
    assert len(lab.json("backups", name)["backups"]) >= copies + 2
    _nothing_is_left_of_a_rehearsal(name)
    older = lab.run("set", name, f"cvat_version={OLD}", "--yes")
    assert (older.returncode, "no way back" in older.stderr) == (2, True)


@pytest.fixture(scope="module")
def other_machine(lab: Lab, aging: Any, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Another machine, as far as the home goes, with a copy of the backups under another name."""
    home = _home(lab, tmp_path_factory.mktemp("other-machine"))
    lab.json("backup", aging["name"])  # one of after the upgrade, which the schedule takes within a minute
    subprocess.run(["cp", "-a", lab.home.backups / aging["name"], home.root / "copied"], check=True)
    return Lab(home)


def test_another_machine_needs_the_recovery_kit(lab: Lab, other_machine: Lab) -> None:
    flags = ("--yes", "--bucket", "aging", "--from-backup", str(other_machine.home.root / "copied"))
    done = other_machine.run("create", "fresh", *flags)
    assert (done.returncode, "import the recovery kit" in done.stderr) == (1, True), done.stderr
    kit = other_machine.home.root / "kit.json"
    lab.json("keys", "export", str(kit))
    assert "new" in other_machine.json("keys", "import", str(kit)).values()
    older = other_machine.run("create", "fresh", *flags)
    assert older.returncode == 2, older.stderr
    assert "migrated by a later CVAT than 2.73.0 (engine.0002_good)" in older.stderr
    assert not (other_machine.home.backups / "fresh").exists()
    assert not containers("fresh")


def test_a_workspace_is_made_from_the_copied_backups(lab: Lab, aging: Any, other_machine: Lab) -> None:
    name, folder = f"n{secrets.token_hex(3)}", other_machine.home.root / "copied"
    before = sorted(path for path in folder.rglob("*") if path.is_file())
    command = (
        *("create", name, "--yes", *ports(), "--bucket", "aging", "--admin-username", ADMIN),
        *("--cvat-version", upgrades.VERSIONS["good"], "--password-stdin"),
    )
    given = {"stdin": PASSWORD + "\n"}
    try:
        other_machine.kill_at("restoring", *command, "--from-backup", str(folder), **given)
        unfinished = other_machine.run(
            "create", name, "--yes", "--from-backup", "/somewhere/else", "--bucket", "aging"
        )
        assert "is half made from" in unfinished.stderr
        measured = other_machine.json(*command, "--from-backup", str(folder), **given)
        assert measured["status"] == "ready"
        assert _projects(measured) == {"first", "second"}
        assert measured["backup"]["copies"] >= 1
        again = other_machine.run(*command, "--from-backup", str(folder), **given)
        assert (again.returncode, "is a workspace already" in again.stderr) == (2, True)
    finally:
        other_machine.run("delete", name, "--purge", stdin=f"{name}\n")
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == before
    assert not other_machine.home.backup_key(name).exists()


def test_a_dump_fills_the_volumes_of_a_new_workspace(lab: Lab, aging: Any, tmp_path: Path) -> None:
    name, dump = f"p{secrets.token_hex(3)}", tmp_path / "aging.dump"
    dump.write_text("something else")
    refused = lab.run("create", name, "--yes", *ports(), "--bucket", "aging", "--from-backup", str(dump))
    assert (refused.returncode, "is no dump of PostgreSQL" in refused.stderr) == (2, True), refused.stderr
    database = containers(aging["name"])["database"]
    made = database.exec_run(["pg_dump", "-U", "cvat", "--format=custom", "cvat"], demux=True)
    dump.write_bytes(made.output[0])
    runtime, spec = DockerRuntime.here(name), parse_spec({"name": name, "buckets": [{"name": "aging"}]})
    try:
        import_backup.fill(runtime, import_backup.find(runtime, str(dump), spec, lab.home), spec, lab.home)
        assert alone(name, "select count(*) from engine_project").count('"2"') == 1
    finally:
        docker_engine.remove_data(runtime.client, name, lab.home.backups / name)
    lab.home.backup_key(name).unlink()


def test_the_command_that_delete_prints_brings_it_back(lab: Lab, aging: Any) -> None:
    lab.kill_at("[ 3]", "delete", aging["name"], "--yes")  # dies in the middle of it
    assert json.loads(lab.run("status", aging["name"], "--json").stdout)["status"] != "ready"
    done = lab.json("delete", aging["name"], "--yes")
    assert done["last_backup"]
    name = aging["name"]
    assert not containers(name)
    assert name not in [row["name"] for row in lab.json("list")]
    listed = {row["name"]: row["status"] for row in lab.json("list", "--all")}
    assert listed[name] == "deleted"
    for command in (("start", name), ("stop", name), ("set", name, "size=medium", "--yes")):
        refused = lab.run(*command)
        assert (refused.returncode, f"labelspace create {name}" in refused.stderr) == (2, True), command
    words = shlex.split(done["come_back"])
    assert words[0] == "labelspace"
    measured = lab.json(*words[1:])
    assert (measured["status"], measured["url"]) == ("ready", aging["url"])
    admin = Visitor(measured["api_url"])
    assert admin.log_in(ADMIN, PASSWORD).status_code == 200
    found = {row["name"] for row in admin.get("/api/projects").json()["results"]}
    assert found == {"first", "second"}


def test_what_plain_pulumi_destroyed_is_not_taken_up_by_itself(lab: Lab, aging: Any) -> None:
    name = aging["name"]
    lab.pulumi("destroy", "--stack", name, "--yes", "--skip-preview")
    done = lab.run("create", name, "--yes")
    assert done.returncode == 2, done.stderr
    assert f"annotations (volume labelspace-{name}-database)" in done.stderr
    assert f"backups ({lab.home.backups / name})" in done.stderr
    assert "--reuse-data" in done.stderr
    older = lab.run("create", name, "--yes", "--reuse-data", "--cvat-version", OLD)
    assert (older.returncode, "migrated by a later CVAT" in older.stderr) == (2, True), older.stderr
    assert not containers(name)

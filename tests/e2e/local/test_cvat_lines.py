"""A workspace goes from line to line of CVAT: refused, rehearsed, rolled back and upgraded."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from testbed import cvat_lines, upgrades
from tests.e2e.lab import PASSWORD, Lab, admin_of, alone, containers, task_of

from labelspace.spec import DEFAULT_CVAT

FIRST, LATER, NEWEST = DEFAULT_CVAT, "2.76.0", "2.80.0"


@pytest.fixture(scope="module")
def aged(lab: Lab, dataset: Path) -> Iterator[Any]:
    """A workspace of the first line with a task, an annotation, and an annotator."""
    cvat_lines.prepare()
    upgrades.prepare_later(LATER)
    name = f"l{secrets.token_hex(3)}"
    try:
        measured = lab.create(name, "--bucket", "street", "--cvat-version", FIRST)
        lab.json("upload", name, str(dataset), "--bucket", "street")
        admin = admin_of(measured)
        task = task_of(admin, "annotated")
        label = admin.get(f"/api/labels?task_id={task}").json()["results"][0]["id"]
        box = {"type": "rectangle", "label_id": label, "frame": 0, "points": [1, 2, 30, 40]}
        body = {"version": 0, "tags": [], "tracks": [], "shapes": [{**box, "attributes": []}]}
        assert admin.patch(f"/api/tasks/{task}/annotations?action=create", body).status_code == 200
        yield measured
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")


def _shapes(measured: Any) -> list[Any]:
    admin = admin_of(measured)
    [task] = admin.get("/api/tasks").json()["results"]
    return [
        (row["frame"], row["type"], row["points"])
        for row in admin.get(f"/api/tasks/{task['id']}/annotations").json()["shapes"]
    ]


def _version(measured: Any) -> str:
    return str(httpx.get(f"{measured['api_url']}/api/server/about").json()["version"])


def _is_at(lab: Lab, measured: Any, version: str) -> None:
    assert _version(measured) == version
    assert _shapes(measured) == [(0, "rectangle", [1, 2, 30, 40])]
    assert lab.until_ready(measured["name"])["cvat_version"] == version
    assert not [part for part in containers(measured["name"]) if part.startswith("rehearsal")]


def test_an_untested_line_needs_a_permission(lab: Lab, aged: Any) -> None:
    for refused in (
        lab.run("set", aged["name"], f"cvat_version={LATER}", "--yes"),
        lab.run("upgrade", aged["name"], LATER, "--yes"),
    ):
        assert refused.returncode == 2
        assert "only its source was read. Set allow_untested_cvat=true" in refused.stderr
    _is_at(lab, aged, FIRST)


def test_the_plan_names_the_way_and_what_is_dropped(lab: Lab, aged: Any) -> None:
    plan = lab.json("upgrade", aged["name"], LATER, "--plan")["plan"]
    assert (plan["version"], plan["way"], plan["state"]) == (FIRST, [LATER], "read")
    assert "quality_control_qualitysettings.iou_threshold" in plan["drops"]
    assert plan["untested"] == NEWEST
    assert plan["needs_permission"]
    said = lab.run("preview", aged["name"], f"cvat_version={LATER}", "allow_untested_cvat=true").stdout
    assert f"CVAT {LATER} is untested: only its source was read" in said


def test_a_server_is_checked_by_its_url_alone(lab: Lab, aged: Any) -> None:
    checks = lab.json("doctor", "--cvat", aged["api_url"])
    assert [(check["name"], check["ok"]) for check in checks] == [
        (name, True) for name in ("version", "health", "rules", "sign-in")
    ]


def test_a_rehearsal_alone_changes_nothing(lab: Lab, aged: Any) -> None:
    found = lab.json("upgrade", aged["name"], LATER, "--rehearse")["rehearsed"]
    assert found["health"] >= 6
    assert len(found["dropped"]) == 16
    assert found["compared"]["shapes"] == 1
    assert found["compared"]["export"] == 3
    _is_at(lab, aged, FIRST)


def test_an_upgrade_over_three_lines_keeps_the_annotations(lab: Lab, aged: Any) -> None:
    done = lab.run("upgrade", aged["name"], LATER, "--allow-untested", "--yes")
    assert done.returncode == 0, done.stderr
    assert "is the same before and after" in done.stderr
    assert f"--cvat-version {FIRST}` with the buckets of" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert f"{LATER} (untested: only its source was read)" in done.stdout
    _is_at(lab, aged, LATER)
    [row] = admin_of(aged).get("/api/growth").json()["results"]
    assert row["github_prompt_enabled"] is False  # star_banner is false by default


def test_a_column_that_no_line_names_is_refused(lab: Lab, aged: Any) -> None:
    version = upgrades.OF_A_LATER_LINE["undeclared"]
    refused = lab.run("upgrade", aged["name"], version, "--yes")
    assert refused.returncode == 1
    assert "drop columns that its line does not name: engine_task.bug_tracker" in refused.stderr
    _is_at(lab, aged, LATER)


def test_an_upgrade_that_stops_halfway_is_rolled_back(lab: Lab, aged: Any) -> None:
    name, version = aged["name"], upgrades.OF_A_LATER_LINE["stopping"]
    failed = lab.run("upgrade", name, version, "--yes")
    assert failed.returncode == 1
    assert f"`labelspace set {name} cvat_version={LATER}`" in failed.stderr
    backup = failed.stderr.rpartition("--backup ")[2].split("`")[0]
    lab.json("set", name, f"cvat_version={LATER}", "--yes")  # what is half done stays until the restore
    restored = lab.run("restore", name, "--backup", backup, "--yes")
    assert restored.returncode == 0, restored.stderr
    _is_at(lab, aged, LATER)


def test_the_newest_line_has_an_entrypoint_that_nobody_read_and_starts_in_its_own_way(
    lab: Lab, aged: Any
) -> None:
    done = lab.json("upgrade", aged["name"], NEWEST, "--yes")
    assert done["status"]["cvat_state"] == "read"
    _is_at(lab, aged, NEWEST)
    [job] = admin_of(aged).get("/api/jobs").json()["results"]
    assert "consensus_replicas" not in job
    log = containers(aged["name"])["migrate"].logs().decode()
    assert "Applying engine.0109_replicas" in log
    older = lab.run("upgrade", aged["name"], LATER, "--yes")
    assert (older.returncode, "going back is a restore" in older.stderr) == (2, True), older.stderr


def test_an_upgraded_workspace_is_backed_up_and_exported(lab: Lab, aged: Any, tmp_path: Path) -> None:
    taken = lab.json("backup", aged["name"])["id"]
    assert lab.json("drill", aged["name"])["ok"]
    assert json.loads(lab.run("restore", aged["name"], "--backup", taken, "--yes", "--json").stdout)
    _is_at(lab, aged, NEWEST)
    assert "1" in alone(aged["name"], "select count(*) from auth_user where is_superuser")

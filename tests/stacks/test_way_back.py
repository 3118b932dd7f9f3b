"""Annotations come back: after a mistake, and after the loss of the database's volume."""

from __future__ import annotations

from typing import Any

import docker
from tests.lab import PASSWORD, Lab, admin_of, containers


def _projects(measured: Any) -> set[str]:
    return {row["name"] for row in admin_of(measured).get("/api/projects").json()["results"]}


def test_a_backup_is_proven_by_a_drill_that_leaves_nothing(lab: Lab, street: Any) -> None:
    assert admin_of(street).post("/api/projects", {"name": "drilled"}).status_code == 201
    taken = lab.json("backup", street["name"])
    proof = lab.json("drill", street["name"])
    assert proof["ok"]
    assert proof["backup"] == taken["id"]
    assert proof["rows"] > 0
    listed = lab.json("backups", street["name"])["backups"]
    assert listed[-1]["id"] == taken["id"]
    assert listed[-1]["proof"]["ok"]


def test_a_project_deleted_by_mistake_comes_back(lab: Lab, street: Any) -> None:
    admin = admin_of(street)
    number = admin.post("/api/projects", {"name": "mistaken"}).json()["id"]
    taken = lab.json("backup", street["name"])
    assert admin.http.delete(f"/api/projects/{number}", headers=admin._csrf()).status_code == 204
    assert "mistaken" not in _projects(street)
    done = lab.run("restore", street["name"], "--backup", taken["id"], "--yes")
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert lab.until_ready(street["name"])["status"] == "ready"
    assert "mistaken" in _projects(street)


def test_a_lost_volume_is_restored_to_the_last_change(lab: Lab, street: Any) -> None:
    assert admin_of(street).post("/api/projects", {"name": "last change"}).status_code == 201
    lab.json("backup", street["name"])
    containers(street["name"])["database"].remove(force=True)
    docker.from_env().volumes.get(f"labelspace-{street['name']}-database").remove(force=True)
    assert lab.run("status", street["name"]).returncode == 1
    assert lab.json("restore", street["name"], "--yes")["name"] == street["name"]
    assert lab.until_ready(street["name"])["status"] == "ready"
    assert {"mistaken", "last change"} <= _projects(street)


def test_what_cannot_be_restored_is_refused(lab: Lab, street: Any) -> None:
    for flags in (("--backup", "unknown"), ("--to", "1999-01-01T00:00:00Z"), ("--to", "yesterday")):
        done = lab.run("restore", street["name"], *flags, "--yes")
        assert done.returncode == 2, (flags, done.stderr)
        assert flags[1].rstrip("Z") in done.stderr
        assert "Traceback" not in done.stderr
    assert lab.until_ready(street["name"])["status"] == "ready"

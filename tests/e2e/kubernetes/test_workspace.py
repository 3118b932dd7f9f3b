"""A workspace in a real cluster: made, used, changed, stopped, restored and deleted."""

from __future__ import annotations

import json
from typing import Any

from testbed.kubernetes.cluster import Cluster
from tests.e2e.endpoint import Endpoint
from tests.e2e.lab import PASSWORD, Lab, admin_of, task_of

from labelspace_ops.stack import state


def _objects(cluster: Cluster, name: str, kinds: str) -> str:
    return cluster.kubectl("-n", f"labelspace-{name}", "get", kinds, "-o", "json")


def test_the_admin_makes_a_task_from_the_mounted_bucket(pets: Any) -> None:
    assert pets["status"] == "ready"
    admin = admin_of(pets)
    rows = admin.get("/api/server/share?directory=/street/").json()
    assert {"a.png", "night shots", "größe"} <= {row["name"] for row in rows}
    assert task_of(admin, "first") > 0


def test_an_update_without_changes_changes_nothing(lab: Lab, pets: Any) -> None:
    assert "unchanged" in lab.pulumi("preview", "--stack", pets["name"], "--expect-no-changes")
    assert "unchanged" in lab.pulumi("refresh", "--stack", pets["name"], "--yes", "--expect-no-changes")


def test_no_secret_is_in_a_specification_a_log_or_the_state(lab: Lab, cluster: Cluster, pets: Any) -> None:
    name = pets["name"]
    outputs = state.require_outputs(name, lab.home)
    key = (lab.home.backup_key(name)).read_text().strip()
    hidden = [PASSWORD, key, outputs["bucket_keys"]["street"]["secret_key"]]
    shown = _objects(cluster, name, "pods,deployments,statefulsets,jobs,configmaps,events")
    for pod in json.loads(_objects(cluster, name, "pods"))["items"]:
        shown += cluster.kubectl("-n", f"labelspace-{name}", "logs", pod["metadata"]["name"])
    shown += lab.pulumi("stack", "export", "--stack", name)
    assert not [one for one in hidden if one in shown]


def test_a_change_of_registration_is_an_update_in_place(lab: Lab, pets: Any) -> None:
    assert lab.json("set", pets["name"], "registration=closed", "--yes")["status"] == "ready"
    assert admin_of(pets).sign_up("newcomer").status_code == 403


def test_a_backup_is_proven_by_a_drill(lab: Lab, pets: Any) -> None:
    assert lab.json("backup", pets["name"])["id"]
    proof = lab.json("drill", pets["name"])
    assert proof["ok"]
    assert proof["missing"] == []


def test_a_stopped_workspace_keeps_data(lab: Lab, cluster: Cluster, pets: Any) -> None:
    name, admin = pets["name"], admin_of(pets)
    assert admin.post("/api/projects", {"name": "outlives a stop"}).status_code == 201
    assert lab.json("stop", name)["backed_up"]
    assert json.loads(_objects(cluster, name, "pods"))["items"] == []
    assert lab.json("start", name)["status"] == "ready"
    assert "outlives a stop" in [row["name"] for row in admin.get("/api/projects").json()["results"]]


def test_a_restore_brings_back_what_was_deleted(lab: Lab, pets: Any) -> None:
    admin = admin_of(pets)
    kept = admin.post("/api/projects", {"name": "deleted by mistake"}).json()["id"]
    backup = lab.json("backup", pets["name"])["id"]
    assert admin.delete(f"/api/projects/{kept}").status_code == 204
    assert lab.json("restore", pets["name"], "--backup", backup, "--yes")["kept"]
    lab.until_ready(pets["name"])
    again = admin_of(pets)
    assert "deleted by mistake" in [row["name"] for row in again.get("/api/projects").json()["results"]]


def test_a_deleted_workspace_leaves_its_volumes_and_goes_on_with_them(
    lab: Lab, cluster: Cluster, pets: Any, photos: Endpoint, flags: tuple[str, ...]
) -> None:
    name = pets["name"]
    assert lab.json("delete", name, "--yes")["last_backup"]
    claims = {one["metadata"]["name"] for one in json.loads(_objects(cluster, name, "pvc"))["items"]}
    assert {"database", "data", "keys"} <= claims
    assert photos.keys("")
    given = ("--admin-username", pets["admin_username"], "--admin-email", "head@example.org")
    made = lab.json(
        "create", name, "--yes", "--reuse-data", *given, "--password-stdin", *flags, stdin=f"{PASSWORD}\n"
    )
    assert made["status"] == "ready"
    projects = admin_of(made).get("/api/projects").json()["results"]
    assert "outlives a stop" in [row["name"] for row in projects]

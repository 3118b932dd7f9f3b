"""A workspace in a real cluster: made, used, changed, stopped, restored and deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from testbed.kubernetes.cluster import Cluster
from tests.e2e.kubernetes.storage import SECRET_KEY, Storage
from tests.e2e.lab import PASSWORD, Lab, admin_of, task_of


def _objects(cluster: Cluster, name: str, kinds: str) -> str:
    return cluster.kubectl("-n", f"labelspace-{name}", "get", kinds, "-o", "json")


def _tasks(measured: Any) -> list[str]:
    return sorted(row["name"] for row in admin_of(measured).get("/api/tasks").json()["results"])


def test_doctor_finds_the_cluster_fit(lab: Lab, cluster: Cluster) -> None:
    checks = {one["name"]: one for one in lab.json("doctor", "--target", "kubernetes")}
    assert checks["kubernetes version"]["detail"].startswith("v1.")
    assert "local-path" in checks["kubernetes storage"]["detail"]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("context=none-such", "kubernetes.context: 'none-such' cannot be used"),
        ("namespace=none-such", "kubernetes.namespace: 'none-such' does not exist"),
        ("storage_class=none-such", "kubernetes.storage_class: 'none-such' does not exist"),
        ("ingress.host=labels.example.org", "kubernetes.ingress: the cluster has no ingress controller"),
    ],
)
def test_what_the_cluster_does_not_have_is_refused(
    lab: Lab, cluster: Cluster, flags: tuple[str, ...], setting: str, sentence: str
) -> None:
    done = lab.run("create", "refused", *flags, "--set", f"kubernetes.{setting}", stdin=f"{PASSWORD}\n")
    assert done.returncode
    assert sentence in done.stderr
    assert "labelspace-refused" not in cluster.kubectl("get", "namespaces")


def test_the_admin_makes_a_task_from_the_mounted_bucket(pets: Any) -> None:
    assert pets["status"] == "ready"
    admin = admin_of(pets)
    rows = admin.get("/api/server/share?directory=/street/").json()
    assert {"a.png", "night shots", "größe"} <= {row["name"] for row in rows}
    assert task_of(admin, "first") > 0


def test_an_update_without_changes_changes_nothing(lab: Lab, pets: Any) -> None:
    lab.pulumi("preview", "--stack", pets["name"], "--refresh", "--expect-no-changes")


def test_no_secret_is_in_a_specification_a_log_or_the_state(lab: Lab, cluster: Cluster, pets: Any) -> None:
    name = pets["name"]
    hidden = [PASSWORD, lab.home.backup_key(name).read_text().strip(), SECRET_KEY]
    shown = _objects(cluster, name, "pods,deployments,statefulsets,jobs,configmaps,events")
    for pod in json.loads(_objects(cluster, name, "pods"))["items"]:
        shown += cluster.kubectl("-n", f"labelspace-{name}", "logs", pod["metadata"]["name"])
    shown += lab.pulumi("stack", "export", "--stack", name)
    assert not [one for one in hidden if one in shown]


def test_a_restore_brings_back_the_backup_and_proves_it_before(lab: Lab, pets: Any) -> None:
    name = pets["name"]
    backup = lab.json("backup", name)["id"]
    proof = lab.json("drill", name)
    assert proof["ok"]
    assert backup in [row["id"] for row in lab.json("backups", name)["backups"]]
    assert task_of(admin_of(pets), "after the backup") > 0
    assert lab.json("restore", name, "--backup", backup, "--yes")["kept"]
    assert _tasks(lab.json("status", name)) == ["first"]


def test_a_setting_changes_and_a_stopped_workspace_keeps_its_data(
    lab: Lab, cluster: Cluster, pets: Any
) -> None:
    name = pets["name"]
    assert lab.json("set", name, "registration=closed", "--yes")["status"] == "ready"
    assert admin_of(pets).sign_up("newcomer").status_code == 403
    assert lab.json("stop", name)["backed_up"]
    assert json.loads(_objects(cluster, name, "pods"))["items"] == []
    assert lab.json("start", name)["status"] == "ready"
    assert _tasks(pets) == ["first"]


def test_a_deleted_workspace_goes_on_with_its_volumes(
    lab: Lab, cluster: Cluster, pets: Any, flags: tuple[str, ...]
) -> None:
    name = pets["name"]
    assert lab.json("delete", name, "--yes")["last_backup"]
    claims = {one["metadata"]["name"] for one in json.loads(_objects(cluster, name, "pvc"))["items"]}
    assert {"database", "data", "keys"} <= claims
    made = lab.json("create", name, "--reuse-data", *flags, stdin=f"{PASSWORD}\n")
    assert _tasks(made) == ["first"]


def test_a_purged_workspace_leaves_its_datasets_alone(
    lab: Lab, cluster: Cluster, pets: Any, photos: Storage, kept: Storage
) -> None:
    name = pets["name"]
    assert lab.run("delete", name, "--purge", stdin=f"{name}\n").returncode == 0
    assert f"labelspace-{name} " not in cluster.kubectl("get", "namespaces", "--no-headers")
    assert kept.keys("kept") == []
    assert "a.png" in photos.keys("street")

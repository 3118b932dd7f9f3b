"""The objects of a workspace in a cluster, as the API server would get them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import rpc
from tests.unit.components.test_options import declared

from labelspace import Workspace
from labelspace.targets.kubernetes import names

SECRETS = {"admin.password": "a-Long-phrase-of-2026", "key": "s3-secret", "backups": "backup-secret"}
SETTINGS: dict[str, Any] = {
    "name": "pets",
    "target": "kubernetes",
    "admin": {"username": "keeper", "password": SECRETS["admin.password"]},
    "buckets": [
        {
            "name": "photos",
            "endpoint": "https://s3.example.org",
            "access_key": "AK",
            "secret_key": SECRETS["key"],
        }
    ],
    "backup": {
        "bucket": {
            "name": "kept",
            "endpoint": "https://s3.example.org",
            "access_key": "AK",
            "secret_key": SECRETS["backups"],
        }
    },
    "kubernetes": {"context": "prod", "ingress": {"host": "labels.example.org", "issuer": "letsencrypt"}},
}
Row = dict[str, Any]


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[tuple[str, str], Row]:
    """The inputs of every object by its kind and resource name."""
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    made = declared(lambda opts: Workspace("pets", opts, **SETTINGS))
    rows = [one for one in made.of("kubernetes") if not one.type.startswith("pulumi:providers")]
    return {
        (one.type.rpartition(":")[2], one.name): rpc.deserialize_properties(one.object, keep_unknowns=True)
        for one in rows
    }


def _pods(objects: dict[tuple[str, str], Row]) -> dict[str, Row]:
    """The pods' specifications by resource name."""
    kinds = ("Deployment", "StatefulSet", "Job", "DaemonSet")
    return {name: row["spec"]["template"]["spec"] for (kind, name), row in objects.items() if kind in kinds}


def test_every_part_is_a_workload(objects: dict[tuple[str, str], Row]) -> None:
    kinds = {kind: sorted(name for found, name in objects if found == kind) for kind, _ in objects}
    assert kinds["StatefulSet"] == ["pets-cache", "pets-database", "pets-redis"]
    assert kinds["Job"] == ["pets-migrate", "pets-readiness"]
    parts = ("opa", "proxy", "server", "ui", "worker", "worker-chunks")
    assert kinds["Deployment"] == [f"pets-{part}" for part in parts]
    assert kinds["DaemonSet"] == ["pets-mounts"]


def test_a_corrected_template_replaces_the_pod_of_a_store_that_never_got_ready(
    objects: dict[tuple[str, str], Row],
) -> None:
    """With the policy OrderedReady the old pod stays (kubernetes issue 67250)."""
    policies = [
        row["spec"]["podManagementPolicy"] for (kind, _), row in objects.items() if kind == "StatefulSet"
    ]
    assert policies == ["Parallel"] * 3


def test_a_pod_has_no_token_and_no_variable_of_other_services(objects: dict[tuple[str, str], Row]) -> None:
    pods = _pods(objects)
    assert len(pods) == 12
    assert {pod["automountServiceAccountToken"] for pod in pods.values()} == {False}
    assert {pod["enableServiceLinks"] for pod in pods.values()} == {False}


def test_only_the_mounts_are_privileged_and_use_folders_of_the_node(
    objects: dict[tuple[str, str], Row],
) -> None:
    pods = _pods(objects)
    privileged = {
        name
        for name, pod in pods.items()
        for container in pod["containers"]
        if container["securityContext"].get("privileged")
    }
    on_the_node = {name for name, pod in pods.items() for one in pod["volumes"] if "hostPath" in one}
    assert privileged == on_the_node == {"pets-mounts"}
    pods.pop("pets-mounts")
    contexts = [container["securityContext"] for pod in pods.values() for container in pod["containers"]]
    assert {context["allowPrivilegeEscalation"] for context in contexts} == {False}
    assert {tuple(context["capabilities"]["drop"]) for context in contexts} == {("ALL",)}


def test_all_but_the_database_run_without_root(objects: dict[tuple[str, str], Row]) -> None:
    pods = _pods(objects)
    roots = {name for name, pod in pods.items() if not pod.get("securityContext", {}).get("runAsNonRoot")}
    assert roots == {"pets-database", "pets-mounts"}


def test_secrets_are_in_secret_objects_alone(objects: dict[tuple[str, str], Row]) -> None:
    shown = json.dumps([row for (kind, _), row in objects.items() if kind != "Secret"], default=str)
    hidden = json.dumps([row for (kind, _), row in objects.items() if kind == "Secret"], default=str)
    for text in SECRETS.values():
        assert text not in shown
        assert text in hidden


def test_nothing_but_the_proxy_is_reached_from_outside(objects: dict[tuple[str, str], Row]) -> None:
    policies = {name: row["spec"] for (kind, name), row in objects.items() if kind == "NetworkPolicy"}
    everything = policies["pets-policy-default"]
    assert everything["podSelector"] == {}
    assert everything["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in everything
    open_to_all = [
        name for name, spec in policies.items() if any("from" not in rule for rule in spec.get("ingress", []))
    ]
    assert open_to_all == ["pets-policy-public"]
    expression = policies["pets-policy-public"]["podSelector"]["matchExpressions"][0]
    assert expression["values"] == ["proxy"]


def test_the_ingress_asks_for_a_certificate(objects: dict[tuple[str, str], Row]) -> None:
    row = objects["Ingress", "pets-ingress"]
    assert row["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"
    assert row["spec"]["tls"] == [{"hosts": ["labels.example.org"], "secretName": "pets-tls"}]


def test_a_stopped_workspace_has_no_pods_and_keeps_its_volumes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    made = declared(lambda opts: Workspace("pets", opts, **{**SETTINGS, "running": False})).of("kubernetes")
    rows = [(one.type.rpartition(":")[2], rpc.deserialize_properties(one.object)) for one in made]
    replicas = {row["spec"]["replicas"] for kind, row in rows if kind in ("Deployment", "StatefulSet")}
    assert replicas == {0}
    claims = [row["metadata"]["name"] for kind, row in rows if kind == "PersistentVolumeClaim"]
    assert {"database", "data", "keys"} <= set(claims)
    assert not [kind for kind, _ in rows if kind == "Job"]


def test_a_claim_of_a_bucket_is_removed_before_its_volume(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A volume that is still claimed is not removed: the deletion would wait for ten minutes."""
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    made = declared(lambda opts: Workspace("pets", opts, **SETTINGS)).of("kubernetes")
    claim = next(one for one in made if one.name == "pets-buckets-claim")
    assert any(urn.endswith("::pets-buckets-volume") for urn in claim.dependencies)


def test_a_running_pod_sees_a_bucket_that_is_mounted_again(objects: dict[tuple[str, str], Row]) -> None:
    """Its volume is the folder of all mounts: that of one mount would stay the mount that is gone."""
    volume = objects["PersistentVolume", "pets-buckets-volume"]["spec"]
    server = objects["Deployment", "pets-server"]["spec"]["template"]["spec"]
    share = next(one for one in server["containers"][0]["volumeMounts"] if one["name"] == "share")
    assert volume["hostPath"]["path"] == "/var/lib/labelspace/labelspace-pets"
    assert share["mountPropagation"] == "HostToContainer"
    assert share["mountPath"] == "/home/django/share"


def test_pods_with_volumes_run_on_one_node(objects: dict[tuple[str, str], Row]) -> None:
    pods = _pods(objects)
    together = {name for name, pod in pods.items() if pod.get("affinity")}
    claims = {
        name
        for name, pod in pods.items()
        if any("persistentVolumeClaim" in one for one in pod.get("volumes", []))
    }
    assert together == claims
    assert all(pods[name]["affinity"] == names.one_node("pets") for name in together)
    assert {"pets-database", "pets-server", "pets-worker", "pets-redis"} <= together
    assert not together & {"pets-ui", "pets-proxy", "pets-opa"}


def test_every_pod_goes_to_the_nodes_that_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    placed = {
        "node_selector": "pool=labels,zone=",
        "tolerations": ["dedicated=labels:NoSchedule", "spot"],
        "priority_class": "first",
    }
    settings = {**SETTINGS, "kubernetes": {**SETTINGS["kubernetes"], **placed}}
    made = declared(lambda opts: Workspace("pets", opts, **settings)).of("kubernetes")
    rows = [rpc.deserialize_properties(one.object, keep_unknowns=True) for one in made]
    pods = [row["spec"]["template"]["spec"] for row in rows if "template" in row.get("spec", {})]
    assert len(pods) == 12
    for pod in pods:
        assert pod["nodeSelector"] == {"pool": "labels", "zone": ""}
        assert pod["tolerations"] == [
            {"key": "dedicated", "operator": "Equal", "value": "labels", "effect": "NoSchedule"},
            {"key": "spot", "operator": "Exists"},
        ]
        assert pod["priorityClassName"] == "first"


def test_without_settings_the_cluster_chooses_the_nodes(objects: dict[tuple[str, str], Row]) -> None:
    fields = {"nodeSelector", "tolerations", "priorityClassName"}
    assert [name for name, pod in _pods(objects).items() if fields & pod.keys()] == []

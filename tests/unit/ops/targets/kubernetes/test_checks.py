"""What a cluster lacks is refused with the name of the setting."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes import client as api
from kubernetes.client.exceptions import ApiException
from tests.unit.components.targets.kubernetes.test_deploy import SETTINGS

from labelspace.spec import validate
from labelspace.spec.kubernetes import KubernetesSpec
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.targets.kubernetes import cluster

NO_CLIENT: Any = None


def _spec(**changed: Any) -> KubernetesSpec:
    settings = {**SETTINGS, "kubernetes": {**SETTINGS["kubernetes"], **changed}}
    return validate(KubernetesSpec, settings)


@pytest.mark.parametrize(
    ("classes", "wanted", "sentence"),
    [
        ({"slow": True}, "fast", "kubernetes.storage_class: 'fast' does not exist: choose one of slow"),
        ({"slow": False}, None, "kubernetes.storage_class: the cluster has no default: choose one of slow"),
        ({}, None, "kubernetes.storage_class: the cluster has no default: choose one of none"),
    ],
)
def test_a_storage_class_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, classes: dict[str, bool], wanted: str | None, sentence: str
) -> None:
    monkeypatch.setattr(cluster, "_storage_classes", lambda _: classes)
    with pytest.raises(UsageError) as caught:
        cluster._check_storage(NO_CLIENT, _spec(storage_class=wanted))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        ([], "kubernetes.ingress: the cluster has no ingress controller"),
        (["traefik"], "kubernetes.ingress.class_name: 'nginx' does not exist: choose one of traefik"),
    ],
)
def test_an_ingress_class_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, classes: list[str], sentence: str
) -> None:
    monkeypatch.setattr(cluster, "_ingress_classes", lambda _: classes)
    with pytest.raises(UsageError) as caught:
        cluster._check_ingress(NO_CLIENT, _spec(ingress={"host": "a.example.org", "class_name": "nginx"}))
    assert sentence in str(caught.value)


def test_a_priority_class_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"first": None, "hidden": 403, "gone": 404, "broken": 500}

    def read(_: object, name: str) -> None:
        if answers[name]:
            raise ApiException(status=answers[name])

    monkeypatch.setattr(api.SchedulingV1Api, "read_priority_class", read)
    for name in ("first", "hidden", None):
        cluster._check_priority(NO_CLIENT, _spec(priority_class=name))
    with pytest.raises(UsageError) as caught:
        cluster._check_priority(NO_CLIENT, _spec(priority_class="gone"))
    assert str(caught.value) == (
        "kubernetes.priority_class: 'gone' does not exist: create it, or leave it out"
    )
    with pytest.raises(ApiException):
        cluster._check_priority(NO_CLIENT, _spec(priority_class="broken"))


@pytest.mark.parametrize("minor", ["26", "26+"])
def test_an_old_version_is_refused(monkeypatch: pytest.MonkeyPatch, minor: str) -> None:
    version = api.VersionInfo(
        **dict.fromkeys(("build_date", "compiler", "git_commit", "git_tree_state", "go_version"), "x"),
        platform="linux/amd64", git_version=f"v1.{minor}", major="1", minor=minor,
    )  # fmt: skip
    monkeypatch.setattr(api.VersionApi, "get_code", lambda _: version)
    with pytest.raises(OpsError) as caught:
        cluster._check_version(NO_CLIENT)
    assert "is too old: 1.27 or newer is needed" in str(caught.value)


def test_an_error_of_the_cluster_names_the_context() -> None:
    refused = ApiException(status=403, reason="Forbidden")
    refused.body = '{"message": "pods is forbidden"}'
    with pytest.raises(OpsError) as caught, cluster._answers("prod"):
        raise refused
    assert str(caught.value) == "kubernetes.context: 'prod': the cluster refused it: pods is forbidden"

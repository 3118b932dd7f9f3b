"""Every object that a workspace declares or that an operation makes is valid for Kubernetes.

The schemas are those of Kubernetes' own OpenAPI, from the package kubernetes-validate, in which a field that
does not exist is an error. They say nothing of names, labels and what refers to what: ``_refusals`` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from kubernetes import client as api
from kubernetes_validate import utils
from pulumi.runtime import rpc
from tests.unit.components.targets.kubernetes.test_deploy import SETTINGS
from tests.unit.components.test_options import declared

from labelspace import Workspace
from labelspace_ops.runtime.base import Job, Mount
from labelspace_ops.runtime.cluster import ClusterRuntime, Images
from labelspace_ops.targets.kubernetes.cluster import OLDEST

Row = dict[str, Any]
VERSIONS = (".".join(map(str, OLDEST)), kubernetes_validate.latest_version())
"""The oldest version that labelspace accepts, and the newest whose schemas are there."""
NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
SECRET_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
PLACED = {"nodeSelector": {"pool": "labels"}, "priorityClassName": "first"}
KEYS = {"access_key": "AK", "secret_key": "s3-secret"}
PHOTOS = {"name": "photos", "endpoint": "https://s3.example.org"}
BACKUP = {"name": "kept", "endpoint": "https://s3.example.org", **KEYS}
INGRESS = {"host": "labels.example.org"}
VARIATIONS: dict[str, Row] = {
    "with a certificate of an issuer": {},
    "stopped": {"running": False},
    "large, closed": {"size": "large", "registration": "closed", "default_role": "user", "star_banner": True},
    "another version of CVAT": {"cvat_version": "2.76.0", "allow_untested_cvat": True},
    "buckets: public, with keys, with a region": {
        "buckets": [
            {**PHOTOS, "name": "a.b"},
            {**PHOTOS, "name": "a-b", **KEYS},
            {**PHOTOS, "name": "9" * 63, **KEYS, "region": "fr-par", "endpoint": "http://10.0.0.1:9000"},
        ]
    },
    "backups: all settings": {
        "backup": {
            "archive_timeout_seconds": 5,
            "retention_days": 30,
            "interval_hours": 1,
            "full_interval_days": 1,
            "drill_interval_days": 0,
            "max_unarchived_mb": 64,
            "bucket": {**BACKUP, "region": "fr-par"},
            "encryption_key": "a-key-of-thirty-two-characters-or-more",
        }
    },
    "egress": {"egress": {"allow": ["10.1.0.0/16"]}},
    "HTTP by an ingress": {"kubernetes": {"ingress": INGRESS}},
    "own certificate": {
        "kubernetes": {"ingress": {**INGRESS, "class_name": "nginx", "tls_secret": "labels.tls"}}
    },
    "port of the nodes": {"kubernetes": {"node_port": 30080, "url": "http://labels.example.org:30080"}},
    "ingress and port, every other setting": {
        "name": "a" * 32,
        "kubernetes": {
            "namespace": "n" * 56,
            "ingress": INGRESS,
            "node_port": 32767,
            "url": "https://labels.example.org",
            "storage_class": "fast.ssd",
            "data_gb": 10000,
            "database_gb": 1,
            "image_prefix": "registry.example.org/mirror/",
            "image_pull_secret": "login",
            "node_selector": ["pool=labels", "topology.kubernetes.io/zone=fr-par-1", "empty="],
            "tolerations": ["dedicated=labels:NoSchedule", "example.org/gpu", "spot:NoExecute"],
            "priority_class": "annotators.first",
        },
    },
}


@pytest.fixture(autouse=True)
def _schemas_are_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(utils, "schema_contents", _schema)
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))


_schema = cache(utils.schema_contents)


def _known(value: Any) -> Any:
    """A value of Pulumi as the API gets it: what is secret is its text."""
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return _known(value["value"])
        return {key: _known(one) for key, one in value.items() if not key.startswith("__")}
    return [_known(one) for one in value] if isinstance(value, list) else value


def rendered(changed: Row) -> list[Row]:
    """The manifests of a workspace."""
    made = declared(lambda opts: Workspace("pets", opts, **{**SETTINGS, **changed})).of("kubernetes")
    rows = [one for one in made if not one.type.startswith("pulumi:providers")]
    return [_known(rpc.deserialize_properties(one.object, keep_unknowns=True)) for one in rows]


def assert_valid(manifest: Row) -> None:
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except jsonschema.ValidationError as error:
            where = ".".join(map(str, error.absolute_path))
            pytest.fail(f"{manifest['kind']} {manifest['metadata']}: {version}: {where}: {error.message}")


def _refusals(manifest: Row) -> Iterator[str]:
    """What an API server refuses beyond the schema."""
    metadata = manifest["metadata"]
    rule = LABEL if manifest["kind"] in ("Namespace", "Service") else NAME
    if not rule.fullmatch(metadata.get("name", "made-by-pulumi")):
        yield f"name {metadata['name']!r}"
    yield from (f"label {one!r}" for one in metadata["labels"].values() if not LABEL_VALUE.fullmatch(one))
    yield from (f"key {one!r}" for one in manifest.get("stringData", {}) if not SECRET_KEY.fullmatch(one))
    if pod := manifest.get("spec", {}).get("template"):
        yield from _refused_pod(pod["spec"])
        chosen = manifest["spec"].get("selector", {}).get("matchLabels", {})
        yield from (key for key in chosen if pod["metadata"]["labels"].get(key) != chosen[key])


def _refused_pod(pod: Row) -> Iterator[str]:
    names = [container["name"] for container in pod["containers"]]
    yield from (f"container {one!r}" for one in names if names.count(one) > 1 or not LABEL.fullmatch(one))
    volumes = [volume["name"] for volume in pod.get("volumes", [])]
    yield from (f"volume {one!r}" for one in volumes if volumes.count(one) > 1 or not LABEL.fullmatch(one))
    for container in pod["containers"]:
        mounts = container.get("volumeMounts", [])
        paths = [mount["mountPath"] for mount in mounts]
        yield from (f"path {one!r}" for one in paths if paths.count(one) > 1)
        yield from (f"no volume {one['name']!r}" for one in mounts if one["name"] not in volumes)


@pytest.mark.parametrize("changed", VARIATIONS.values(), ids=VARIATIONS.keys())
def test_every_object_of_a_workspace_is_valid(changed: Row) -> None:
    manifests = rendered(changed)
    assert len(manifests) > 30
    for manifest in manifests:
        assert_valid(manifest)
        assert list(_refusals(manifest)) == [], manifest["metadata"]


def test_every_service_leads_to_the_pods_of_one_part() -> None:
    manifests = rendered({"kubernetes": {"node_port": 30080, "ingress": INGRESS}})
    pods = [one["spec"]["template"] for one in manifests if one["kind"] in ("Deployment", "StatefulSet")]
    services = [one["spec"] for one in manifests if one["kind"] == "Service"]
    assert len(services) > 5
    for service in services:
        found = [pod for pod in pods if service["selector"].items() <= pod["metadata"]["labels"].items()]
        assert len(found) == 1
        (container,) = found[0]["spec"]["containers"]
        assert service["ports"][0]["targetPort"] in [one["containerPort"] for one in container["ports"]]


@pytest.mark.parametrize(
    "mounts", [(), (Mount("database", "/data"), Mount("data", "/files", read_only=True))]
)
@pytest.mark.parametrize("networks", [(), ("pets",)])
def test_the_objects_of_an_operation_are_valid(mounts: tuple[Mount, ...], networks: tuple[str, ...]) -> None:
    images = Images("registry.example.org/", "login" if mounts else "")
    runtime = ClusterRuntime(api.ApiClient(), "pets", "labelspace-pets", images, PLACED)
    runtime.core = core = Mock()
    core.list_namespaced_pod.return_value.items = []
    core.list_namespaced_persistent_volume_claim.return_value.items = []
    files = {"/run/labelspace/settings.json": "{}"} if mounts else {}
    runtime._create(Job("i", ["run"], "restore", mounts, files, networks, {"A": "b"}, memory="1g"))
    runtime.make_claims({"database": 10}, "fast" if mounts else None)
    made = {
        "Pod": core.create_namespaced_pod,
        "Secret": core.create_namespaced_secret,
        "PersistentVolumeClaim": core.create_namespaced_persistent_volume_claim,
    }
    calls = [(kind, call.args[1]) for kind, create in made.items() for call in create.call_args_list]
    assert len(calls) == (3 if mounts else 2)
    for kind, manifest in calls:
        assert_valid({"apiVersion": "v1", "kind": kind, **manifest})
        if kind == "Pod":
            assert list(_refused_pod(manifest["spec"])) == []
            assert manifest["spec"].items() >= PLACED.items()


def test_a_field_that_does_not_exist_is_found() -> None:
    """The check itself works: a misspelt field is dropped by a cluster without a word."""
    deployment = next(one for one in rendered({}) if one["kind"] == "Deployment")
    deployment["spec"]["template"]["spec"]["node_selector"] = {}
    with pytest.raises(pytest.fail.Exception, match=r"spec: .*node_selector"):
        assert_valid(deployment)

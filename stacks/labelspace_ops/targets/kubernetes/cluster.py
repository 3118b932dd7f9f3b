"""What a cluster must have and allow before a workspace is made in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from kubernetes import client as api
from kubernetes import config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from labelspace.spec.kubernetes import KubernetesSpec
from labelspace.targets.kubernetes import names
from labelspace_ops.core.checks import Check, run_check
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.runtime import cluster

OLDEST = (1, 27)
"""The oldest minor version that clouds still offered in 2026; older ones were not tried."""
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
RIGHTS = (
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("batch", "jobs"),
    ("", "secrets"),
    ("", "services"),
    ("", "persistentvolumeclaims"),
    ("networking.k8s.io", "networkpolicies"),
)
"""What a workspace needs to create in its namespace."""
CLUSTER_RIGHTS = (("", "namespaces"), ("", "persistentvolumes"))
"""What the buckets' mounts need of the whole cluster."""


def current_context() -> str:
    """Return the kubeconfig file's current context; raises ``UsageError`` when there is none."""
    try:
        return str(config.list_kube_config_contexts()[1]["name"])  # type: ignore[no-untyped-call]
    except (ConfigException, TypeError, KeyError):
        raise UsageError(
            "kubernetes.context: there is no kubeconfig file with a current context: give the context, or"
            " set KUBECONFIG"
        ) from None


def check(spec: KubernetesSpec) -> None:
    """Raise ``UsageError`` or ``OpsError`` for what the cluster does not have or allow."""
    context = spec.kubernetes.context or ""
    client = cluster.connect(context)
    with _answers(context):
        _check_version(client)
        _check_rights(client, spec)
        _check_namespace(client, spec)
        _check_storage(client, spec)
        _check_ingress(client, spec)
        _check_priority(client, spec)


def examine() -> list[Check]:
    """Check the cluster of the current context for ``labelspace doctor``."""
    checks: dict[str, Callable[[api.ApiClient], str]] = {
        "version": _check_version,
        "rights": _cluster_rights,
        "storage": _storage_found,
        "ingress": _ingress_found,
    }
    try:
        context = current_context()
        client = cluster.connect(context)
    except OpsError as error:
        return [Check(name="kubernetes", ok=False, detail=str(error))]
    return [
        run_check(f"kubernetes {name}", partial(_in_context, context, check, client))
        for name, check in checks.items()
    ]


def _in_context(context: str, check: Callable[[api.ApiClient], str], client: api.ApiClient) -> str:
    with _answers(context):
        return check(client)


@contextmanager
def _answers(context: str) -> Iterator[None]:
    """Turn the client's errors into one sentence that names the context."""
    try:
        yield
    except ApiException as error:
        raise OpsError(f"kubernetes.context: {context!r}: {cluster.sentence(error)}") from None
    except HTTPError:
        raise OpsError(
            f"kubernetes.context: {context!r}: its API does not answer: is the cluster up and reachable from"
            " here?"
        ) from None


def _check_version(client: api.ApiClient) -> str:
    version = api.VersionApi(client).get_code()
    found = tuple(int(re.sub(r"\D.*", "", part)) for part in (version.major, version.minor))
    if found < OLDEST:
        raise OpsError(f"kubernetes: version {version.git_version} is too old: 1.27 or newer is needed")
    return str(version.git_version)


def _check_namespace(client: api.ApiClient, spec: KubernetesSpec) -> None:
    """A named namespace must exist, and hold no other workspace."""
    core: Any = api.CoreV1Api(client)
    name = spec.namespace
    if spec.kubernetes.namespace:
        try:
            core.read_namespace(name)
        except ApiException as error:
            if error.status != cluster.NOT_FOUND:
                raise
            raise UsageError(
                f"kubernetes.namespace: {name!r} does not exist: create it, or leave it out"
            ) from None
    others = {
        claim.metadata.labels.get(names.INSTANCE_LABEL)
        for claim in core.list_namespaced_persistent_volume_claim(
            name, label_selector=f"{names.NAME_LABEL}={names.APPLICATION}"
        ).items
    } - {spec.name}
    if others:
        raise UsageError(
            f"kubernetes.namespace: {name!r} holds the workspace {sorted(map(str, others))[0]}: give another"
        )


def _check_rights(client: api.ApiClient, spec: KubernetesSpec) -> None:
    for group, resource in RIGHTS:
        if not _may_create(client, group, resource, spec.namespace):
            raise OpsError(
                f"kubernetes.namespace: this user may not create {resource} in {spec.namespace}: ask for the"
                " role `admin` there"
            )
    _cluster_rights(client)


def _cluster_rights(client: api.ApiClient) -> str:
    for group, resource in CLUSTER_RIGHTS:
        if not _may_create(client, group, resource, None):
            raise OpsError(
                f"kubernetes: this user may not create {resource}, which the mounts of buckets need: ask for"
                " that right"
            )
    return "namespaces and volumes can be created"


def _may_create(client: api.ApiClient, group: str, resource: str, namespace: str | None) -> bool:
    attributes = {"group": group, "resource": resource, "verb": "create", "namespace": namespace}
    reviews: Any = api.AuthorizationV1Api(client)
    review = reviews.create_self_subject_access_review({"spec": {"resourceAttributes": attributes}})
    return bool(review.status.allowed)


def _check_storage(client: api.ApiClient, spec: KubernetesSpec) -> None:
    wanted, known = spec.kubernetes.storage_class, _storage_classes(client)
    names = ", ".join(sorted(known)) or "none"
    if wanted and wanted not in known:
        raise UsageError(f"kubernetes.storage_class: {wanted!r} does not exist: choose one of {names}")
    if not wanted and not any(known.values()):
        raise UsageError(f"kubernetes.storage_class: the cluster has no default: choose one of {names}")


def _storage_classes(client: api.ApiClient) -> dict[str, bool]:
    """The storage classes by name, and whether each is the default one."""
    storage: Any = api.StorageV1Api(client)
    listed = storage.list_storage_class().items
    return {
        one.metadata.name: (one.metadata.annotations or {}).get(DEFAULT_CLASS) == "true" for one in listed
    }


def _check_ingress(client: api.ApiClient, spec: KubernetesSpec) -> None:
    if not spec.kubernetes.ingress:
        return
    classes, wanted = _ingress_classes(client), spec.kubernetes.ingress.class_name
    if not classes:
        raise UsageError(
            "kubernetes.ingress: the cluster has no ingress controller: install one, or give node_port and"
            " url"
        )
    if wanted and wanted not in classes:
        known = ", ".join(classes)
        raise UsageError(f"kubernetes.ingress.class_name: {wanted!r} does not exist: choose one of {known}")


def _check_priority(client: api.ApiClient, spec: KubernetesSpec) -> None:
    """A class that does not exist leaves a Deployment without pods, and without a word of why."""
    wanted, scheduling = spec.kubernetes.priority_class, api.SchedulingV1Api(client)
    if not wanted:
        return
    try:
        scheduling.read_priority_class(wanted)
    except ApiException as error:
        if error.status == cluster.NOT_FOUND:
            raise UsageError(
                f"kubernetes.priority_class: {wanted!r} does not exist: create it, or leave it out"
            ) from None
        if error.status != cluster.FORBIDDEN:  # it may exist: a right in the namespace does not show it
            raise


def _ingress_classes(client: api.ApiClient) -> list[str]:
    networking: Any = api.NetworkingV1Api(client)
    return sorted(one.metadata.name for one in networking.list_ingress_class().items)


def _storage_found(client: api.ApiClient) -> str:
    """The storage classes, for people; raises ``OpsError`` without a default one."""
    found = _storage_classes(client)
    if not any(found.values()):
        raise OpsError(
            "no StorageClass is the default one: give kubernetes.storage_class, one of"
            f" {', '.join(sorted(found)) or 'none'}"
        )
    return ", ".join(f"{name} (default)" if default else name for name, default in sorted(found.items()))


def _ingress_found(client: api.ApiClient) -> str:
    """The ingress classes, for people."""
    return ", ".join(_ingress_classes(client)) or "no class: give kubernetes.node_port and kubernetes.url"

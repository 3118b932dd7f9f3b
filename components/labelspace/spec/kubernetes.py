"""A workspace in a Kubernetes cluster."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from labelspace.spec.base import SpecPart
from labelspace.spec.fields import PublicUrl, separated
from labelspace.spec.workspace import WorkspaceSpec

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
MAX_NAMESPACE = 56
"""Characters of a namespace: that of the mounts adds ``-mounts``, and 63 are Kubernetes' limit."""


def _label(value: str) -> str:
    if len(value) > MAX_NAMESPACE or not re.fullmatch(_LABEL, value):
        raise ValueError(
            f"use 1 to {MAX_NAMESPACE} lowercase letters, digits and hyphens, a letter or digit at both ends"
        )
    return value


def _object_name(value: str) -> str:
    if not _SUBDOMAIN.fullmatch(value):
        raise ValueError("use lowercase letters, digits, dots and hyphens (Kubernetes' rule for names)")
    return value


def _host(value: str) -> str:
    if not _SUBDOMAIN.fullmatch(value) or "." not in value:
        raise ValueError("give a host name such as labels.example.org")
    return value


_LABEL_VALUE = r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?"
_NODE_LABEL = re.compile(rf"(?P<key>({_LABEL}(\.{_LABEL})*/)?(?!=){_LABEL_VALUE})=(?P<value>{_LABEL_VALUE})")
_TAINT = re.compile(
    rf"(?P<key>({_LABEL}(\.{_LABEL})*/)?(?![=:]|$){_LABEL_VALUE})(=(?P<value>{_LABEL_VALUE}))?"
    r"(:(?P<effect>NoSchedule|PreferNoSchedule|NoExecute))?"
)


def _node_label(value: str) -> str:
    if not _NODE_LABEL.fullmatch(value):
        raise ValueError("give a label as `kubectl get nodes --show-labels` does, such as pool=labels")
    return value


def parse_toleration(taint: str) -> tuple[str, str | None, str | None]:
    """Key, value and effect of KEY[=VALUE][:EFFECT]; raises ``ValueError`` that says how it is written."""
    found = _TAINT.fullmatch(taint)
    if found is None:
        raise ValueError(
            "give a taint as `kubectl taint` does: KEY[=VALUE][:EFFECT], with the effect NoSchedule,"
            " PreferNoSchedule or NoExecute, such as dedicated=labels:NoSchedule"
        )
    return found["key"], found["value"], found["effect"]


def _taint(value: str) -> str:
    parse_toleration(value)
    return value


def _one_value_each(labels: tuple[str, ...]) -> tuple[str, ...]:
    keys = [label.partition("=")[0] for label in labels]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise ValueError(f"{twice} is named twice, and no node has two values of it: name it once")
    return labels


ObjectName = Annotated[str, AfterValidator(_object_name)]


class IngressSettings(SpecPart):
    """How the cluster's ingress controller serves the URL."""

    host: Annotated[str, AfterValidator(_host)]
    """Host name of the URL."""
    class_name: ObjectName | None = None
    """The IngressClass; none: the cluster's default one."""
    tls_secret: ObjectName | None = None
    """Secret with certificate and key for ``host``; none: one that the ``issuer`` fills, else plain HTTP."""
    issuer: ObjectName | None = None
    """cert-manager's ClusterIssuer that signs a certificate for ``host``; none: none is asked for."""


class KubernetesSettings(SpecPart):
    """Settings of the target kubernetes alone."""

    context: str | None = None
    """Context of the kubeconfig file; none: its current one, which ``labelspace create`` writes down."""
    namespace: Annotated[str, AfterValidator(_label)] | None = None
    """Namespace of the workspace; none: ``labelspace-NAME``. It holds this workspace alone."""
    ingress: IngressSettings | None = None
    """Serve the URL by an ingress controller."""
    node_port: int | None = Field(default=None, ge=30000, le=32767)
    """Serve the URL on this port of every node, over HTTP; needs ``url``."""
    url: PublicUrl | None = None
    """The address that browsers open, where it is not ``ingress.host``."""
    storage_class: ObjectName | None = None
    """StorageClass of every volume; none: the cluster's default one."""
    data_gb: int = Field(default=20, ge=1, le=10000)
    """Volume for CVAT's own files, in GiB."""
    database_gb: int = Field(default=10, ge=1, le=10000)
    """Volume of the annotation database, in GiB."""
    image_prefix: str = ""
    """Put before the name of every image, such as ``registry.example.org/mirror/``."""
    image_pull_secret: ObjectName | None = None
    """Secret in the namespace with the login of the registry; none: images are public."""
    node_selector: Annotated[
        tuple[Annotated[str, AfterValidator(_node_label)], ...],
        BeforeValidator(separated),
        AfterValidator(_one_value_each),
    ] = ()
    """Labels (``KEY=VALUE``) that a node must have to run a pod of the workspace; none: every node may."""
    tolerations: Annotated[
        tuple[Annotated[str, AfterValidator(_taint)], ...], BeforeValidator(separated)
    ] = ()
    """Taints of nodes (``KEY[=VALUE][:EFFECT]``) that do not keep the workspace's pods away."""
    priority_class: ObjectName | None = None
    """PriorityClass of every pod: which ones get a node first; none: the cluster's default one."""

    @model_validator(mode="after")
    def _login_is_there_before(self) -> KubernetesSettings:
        if self.image_pull_secret and not self.namespace:
            raise ValueError(
                f"image_pull_secret: {self.image_pull_secret!r} must be in the namespace before its first"
                " pod: create both, and give namespace"
            )
        return self


class KubernetesSpec(WorkspaceSpec):
    """The settings of a workspace in a cluster: what every workspace has, and the block ``kubernetes``."""

    target: Literal["kubernetes"] = "kubernetes"
    """Where it runs: a Kubernetes cluster."""
    kubernetes: KubernetesSettings = KubernetesSettings()
    """The settings of this target alone."""

    @property
    def namespace(self) -> str:
        """The namespace that holds the workspace."""
        return self.kubernetes.namespace or f"labelspace-{self.name}"

    @property
    def url(self) -> str:
        """The address that browsers open."""
        ingress, url = self.kubernetes.ingress, self.kubernetes.url
        if url or not ingress:
            return url or ""
        return f"{'https' if ingress.tls_secret or ingress.issuer else 'http'}://{ingress.host}"

    @model_validator(mode="after")
    def _buckets_are_remote(self) -> KubernetesSpec:
        local = next((bucket.name for bucket in self.buckets if not bucket.endpoint), None)
        if local:
            raise ValueError(
                f"bucket {local!r}: target kubernetes takes buckets of an S3 endpoint: give its endpoint"
            )
        return self

    @model_validator(mode="after")
    def _backups_leave_the_cluster(self) -> KubernetesSpec:
        if not self.backup.bucket:
            raise ValueError(
                "backup.bucket: target kubernetes keeps backups in a bucket: give NAME@https://ENDPOINT"
            )
        return self

    @model_validator(mode="after")
    def _url_is_known(self) -> KubernetesSpec:
        if not self.url:
            raise ValueError("kubernetes: nobody could open it: give ingress, or node_port with url")
        return self

    @model_validator(mode="after")
    def _not_yet(self) -> KubernetesSpec:
        if self.external_database:
            raise ValueError("external_database: it is for target local in this version: leave it out")
        return self

"""Who may reach a workspace's pods, and how the URL leads to its proxy."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from labelspace.cvat.services import PROXY_PORT
from labelspace.targets.kubernetes.context import ClusterContext, Manifest, selector
from labelspace.targets.kubernetes.names import COMPONENT_LABEL, OFFLINE_LABEL, ONLINE_LABEL

PROXY = "cvat-proxy"
BODY_SIZE = "2g"
"""Largest request; CVAT's own nginx takes 1 GiB."""
_ANNOTATIONS = {
    "nginx.ingress.kubernetes.io/proxy-body-size": BODY_SIZE,
    "nginx.ingress.kubernetes.io/proxy-read-timeout": "3600",
    "nginx.ingress.kubernetes.io/proxy-send-timeout": "3600",
}
"""Uploads and long exports pass (ingress-nginx, "Annotations"); other controllers ignore them."""
_PUBLIC = ("proxy",)
_REACH_OUT = ("server", "worker", "worker-chunks", "database")
"""Parts that talk to the world: remote sources, cloud storages, webhooks, the backups' bucket."""


def policies(context: ClusterContext) -> list[k8s.networking.v1.NetworkPolicy]:
    """Nothing is allowed but this: pods of the workspace reach each other, anybody reaches the proxy."""
    own: Manifest = {"pod_selector": {}}
    online = {"match_expressions": [{"key": OFFLINE_LABEL, "operator": "DoesNotExist"}]}
    dns = {"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}
    inside = {"ingress": [{"from_": [own]}], "egress": [{"to": [own]}, dns]}
    return [
        _policy("default", context, {}, {"ingress": None, "egress": None}),
        _policy("inside", context, online, inside),
        _policy("public", context, _parts(_PUBLIC), {"ingress": [{"ports": [{"port": PROXY_PORT}]}]}),
        _policy("operations", context, {"match_labels": {ONLINE_LABEL: "true"}}, {"egress": [{}]}),
        _policy("outward", context, _parts(_REACH_OUT), {"egress": [{}]}),
    ]


def _parts(names: tuple[str, ...]) -> Manifest:
    return {"match_expressions": [{"key": COMPONENT_LABEL, "operator": "In", "values": list(names)}]}


def _policy(
    name: str, context: ClusterContext, pods: Manifest, rules: Manifest
) -> k8s.networking.v1.NetworkPolicy:
    """``rules``: what is allowed by direction, None for nothing; other traffic of these directions is not."""
    return k8s.networking.v1.NetworkPolicy(
        context.resource_name(f"policy-{name}"),
        metadata=context.metadata("network", name=name),
        spec={"pod_selector": pods, "policy_types": [one.capitalize() for one in rules], **rules},
        opts=pulumi.ResourceOptions(parent=context.parent),
    )


def entrance(context: ClusterContext) -> list[pulumi.Resource]:
    """The way from outside to the proxy."""
    ingress, port = context.settings.ingress, context.settings.node_port
    return [*([_ingress(context)] if ingress else []), *([_node_port(context, port)] if port else [])]


def _node_port(context: ClusterContext, port: int) -> pulumi.Resource:
    ports = [{"port": PROXY_PORT, "target_port": PROXY_PORT, "node_port": port}]
    return k8s.core.v1.Service(
        context.resource_name("entrance"),
        metadata={
            **context.metadata("proxy", name="entrance"),
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        spec={"type": "NodePort", "selector": selector(context.labels("proxy")), "ports": ports},
        opts=pulumi.ResourceOptions(parent=context.parent),
    )


def _ingress(context: ClusterContext) -> pulumi.Resource:
    settings = context.settings.ingress
    assert settings is not None  # noqa: S101 - the caller asked
    secret = settings.tls_secret or (f"{context.workspace}-tls" if settings.issuer else None)
    annotations = {**_ANNOTATIONS, "pulumi.com/skipAwait": "true"}
    if settings.issuer:
        annotations["cert-manager.io/cluster-issuer"] = settings.issuer
    backend = {"service": {"name": PROXY, "port": {"number": PROXY_PORT}}}
    path = {"path": "/", "path_type": "Prefix", "backend": backend}
    return k8s.networking.v1.Ingress(
        context.resource_name("ingress"),
        metadata={**context.metadata("proxy", name="entrance"), "annotations": annotations},
        spec={
            "ingress_class_name": settings.class_name,
            "rules": [{"host": settings.host, "http": {"paths": [path]}}],
            "tls": [{"hosts": [settings.host], "secret_name": secret}] if secret else None,
        },
        opts=pulumi.ResourceOptions(parent=context.parent),
    )

"""Deploys a workspace to a Kubernetes cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pulumi
import pulumi_kubernetes as k8s
from pydantic import SecretStr

from labelspace.backup_key import recorded_backup_key
from labelspace.container_spec import Service
from labelspace.cvat import services as cvat
from labelspace.cvat.caddy import Public
from labelspace.given import Given, by_key
from labelspace.outputs import BucketAccess, Deployment, RemoteShare, once_ready
from labelspace.postgres import pgbackrest as backups
from labelspace.postgres.container import ARCHIVED_MARK
from labelspace.postgres.container import service as database_service
from labelspace.spec import AdminSpec, BackupSpec, BucketSpec
from labelspace.spec.kubernetes import KubernetesSpec
from labelspace.targets.base import Declaration
from labelspace.targets.kubernetes.bucket_mounts import mount_buckets
from labelspace.targets.kubernetes.context import ClusterContext
from labelspace.targets.kubernetes.network import entrance, policies
from labelspace.targets.kubernetes.volumes import claims
from labelspace.targets.kubernetes.workloads import host_names, job, workload

PRIVATE_NETWORKS = ("private_ranges",)
"""Where an ingress controller's pods connect from (Caddy's name for the private ranges)."""


def deploy(declaration: Declaration[KubernetesSpec]) -> Deployment:
    """Declare every object as a child of the declaration's parent."""
    spec = declaration.spec
    context = _context(declaration)
    policies(context)
    buckets = [declaration.given.part(BucketSpec, "buckets", index) for index in range(len(spec.buckets))]
    share = mount_buckets(buckets, context, spec.namespace)
    context = replace(context, created=(*claims(context), share))
    described = {"database": _database(declaration), **cvat.services(_settings(declaration))}
    for service in described.values():
        host_names(service, context)
    entrance(context)
    ready = _run(described, context)
    return Deployment(
        url=once_ready(spec.url, ready),
        api_url=spec.url,
        buckets=tuple(map(_access, buckets)),
        backups=backups.policy(backups.location(spec.backup, Path(), spec.name), spec.backup).summary(),
        more=_more(spec),
    )


def _more(spec: KubernetesSpec) -> dict[str, pulumi.Input[object]]:
    """The outputs by which commands find the workspace's pods, and nodes the images."""
    settings = spec.kubernetes
    return {
        "namespace": spec.namespace,
        "context": settings.context or "",
        "image_prefix": settings.image_prefix,
        "image_pull_secret": settings.image_pull_secret or "",
    }


def _database(declaration: Declaration[KubernetesSpec]) -> Service:
    """The database's container with the secret files of its backups."""
    spec, given = declaration.spec, declaration.given.part(BackupSpec, "backup")
    key = recorded_backup_key(declaration.parent, declaration.prefix, spec.name, given)
    known = pulumi.Output.all(given.map(lambda backup: backup), key)
    files = known.apply(lambda values: backups.secret_files(spec.name, *values))
    named = by_key(files, backups.secret_files(spec.name, spec.backup, ""))
    return database_service(declaration.secrets.database, named, spec.backup, size=spec.size)


def _run(described: dict[str, Service], context: ClusterContext) -> pulumi.Output[str]:
    """Start the parts; resolves when the readiness job has ended with success, or at once when stopped."""
    running = [workload(one, context) for one in described.values() if not one.one_shot]
    if not context.running:
        return pulumi.Output.from_input("")
    migrate = job(described["migrate"], context, depends_on=[])
    return job(described["readiness"], context, depends_on=[*running, migrate]).id


def _parent(declaration: Declaration[KubernetesSpec]) -> pulumi.Resource:
    """The declaration's parent, or below it a component with a provider for the named context."""
    parent, spec = declaration.parent, declaration.spec
    if spec.kubernetes.context is None:
        return parent
    provider = k8s.Provider(
        f"{declaration.prefix}-cluster",
        context=spec.kubernetes.context,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    options = pulumi.ResourceOptions(parent=parent, providers={"kubernetes": provider})
    return pulumi.ComponentResource("labelspace:kubernetes:Cluster", declaration.prefix, None, options)


def _context(declaration: Declaration[KubernetesSpec]) -> ClusterContext:
    """The namespace; one that is named exists already and stays."""
    spec, parent = declaration.spec, _parent(declaration)
    context = ClusterContext(
        spec.name,
        declaration.prefix,
        pulumi.Output.from_input(spec.namespace),
        spec.kubernetes,
        parent,
        running=spec.running,
    )
    if spec.kubernetes.namespace:
        return context
    labels = {**context.labels("namespace"), "pod-security.kubernetes.io/enforce": "baseline"}
    made = k8s.core.v1.Namespace(
        context.resource_name("namespace"),
        metadata={"name": spec.namespace, "labels": labels},
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=True),  # it holds the volumes
    )
    return replace(context, namespace=cast("pulumi.Output[str]", made.metadata.name))


def _settings(declaration: Declaration[KubernetesSpec]) -> cvat.Settings:
    spec, admin = declaration.spec, declaration.given.part(AdminSpec, "admin")
    host = urlsplit(spec.url).hostname or ""
    return cvat.Settings(
        size=spec.size,
        registration=spec.registration,
        default_role=spec.default_role,
        hosts=("localhost", "127.0.0.1", "cvat-server", host),
        version=spec.cvat_version,
        admin_username=admin.value("username"),
        admin_email=admin.value("email"),
        secrets=declaration.secrets,
        public=Public(spec.url, PRIVATE_NETWORKS) if spec.kubernetes.ingress else None,
        archived_mark=ARCHIVED_MARK,
        egress=spec.egress.allow,
        star_banner=spec.star_banner,
        address=urlsplit(spec.url).netloc,
    )


def _access(bucket: Given[BucketSpec]) -> BucketAccess:
    return BucketAccess(
        name=bucket.known.name,
        endpoint=pulumi.Output.from_input(bucket.value("endpoint")),
        region=bucket.value("region"),
        access_key=pulumi.Output.from_input(bucket.map(lambda spec: _text(spec.access_key))),
        secret_key=pulumi.Output.secret(bucket.map(lambda spec: _text(spec.secret_key))),
        share=RemoteShare(""),
    )


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""

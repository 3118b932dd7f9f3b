"""Deploys a workspace to a Kubernetes cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import cast
from urllib.parse import urlsplit

import pulumi
import pulumi_kubernetes as k8s

from labelspace.container_spec import Service
from labelspace.cvat import services as cvat
from labelspace.cvat.caddy import Public
from labelspace.home import Home
from labelspace.outputs import BeforeUpgrade, BucketAccess, Deployment, RemoteShare
from labelspace.postgres import pgbackrest as backups
from labelspace.postgres.container import ARCHIVED_MARK
from labelspace.postgres.container import service as database_service
from labelspace.spec import BucketSpec
from labelspace.spec.kubernetes import KubernetesSpec
from labelspace.targets.kubernetes.bucket_mounts import mount_buckets
from labelspace.targets.kubernetes.context import ClusterContext
from labelspace.targets.kubernetes.network import entrance, policies
from labelspace.targets.kubernetes.volumes import claims
from labelspace.targets.kubernetes.workloads import host_names, job, workload

PRIVATE_NETWORKS = ("private_ranges",)
"""Where an ingress controller's pods connect from (Caddy's name for the private ranges)."""


def deploy(
    parent: pulumi.Resource,
    spec: KubernetesSpec,
    secrets: cvat.Secrets,
    before_upgrade: BeforeUpgrade | None = None,
) -> Deployment:
    """Declare every object as a child of ``parent``."""
    context = _context(_provider(parent, spec), spec)
    policies(context)
    context = replace(
        context,
        created=(*claims(context), *mount_buckets(spec.buckets, context, spec.namespace)),
        buckets=tuple(bucket.name for bucket in spec.buckets),
    )
    database = database_service(
        secrets.database,
        backups.secret_files(spec.name, spec.backup, _encryption_key(spec)),
        spec.backup,
        size=spec.size,
    )
    described = {"database": database, **cvat.services(_settings(spec, secrets))}
    for service in described.values():
        host_names(service, context)
    entrance(context)
    ready = _run(described, context)
    return Deployment(
        url=ready.apply(lambda _: spec.url),
        api_url=spec.url,
        buckets=tuple(_access(bucket) for bucket in spec.buckets),
        backups=backups.policy(_backups_location(spec), spec.backup).summary(),
        more={"namespace": spec.namespace, "context": spec.kubernetes.context or ""},
    )


def _run(described: dict[str, Service], context: ClusterContext) -> pulumi.Output[str]:
    """Start the parts; resolves when the readiness job has ended with success, or at once when stopped."""
    running = [workload(one, context) for one in described.values() if not one.one_shot]
    if not context.running:
        return pulumi.Output.from_input("")
    migrate = job(described["migrate"], context, depends_on=[])
    return job(described["readiness"], context, depends_on=[*running, migrate]).id


def _provider(parent: pulumi.Resource, spec: KubernetesSpec) -> pulumi.Resource:
    """The parent's own provider, or one for the named context: then a component that carries it."""
    if spec.kubernetes.context is None:
        return parent
    provider = k8s.Provider(
        f"{spec.name}-cluster",
        context=spec.kubernetes.context,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    options = pulumi.ResourceOptions(parent=parent, providers={"kubernetes": provider})
    return pulumi.ComponentResource("labelspace:kubernetes:Cluster", spec.name, None, options)


def _context(parent: pulumi.Resource, spec: KubernetesSpec) -> ClusterContext:
    """The namespace; one that is named exists already and stays."""
    context = ClusterContext(
        spec.name, pulumi.Output.from_input(spec.namespace), spec.kubernetes, parent, running=spec.running
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


def _settings(spec: KubernetesSpec, secrets: cvat.Secrets) -> cvat.Settings:
    host = urlsplit(spec.url).hostname or ""
    return cvat.Settings(
        size=spec.size,
        registration=spec.registration,
        default_role=spec.default_role,
        hosts=("localhost", "127.0.0.1", "cvat-server", host),
        version=spec.cvat_version,
        admin_username=spec.admin.username,
        admin_email=spec.admin.email,
        secrets=secrets,
        public=Public(spec.url, PRIVATE_NETWORKS) if spec.kubernetes.ingress else None,
        archived_mark=ARCHIVED_MARK,
    )


def _encryption_key(spec: KubernetesSpec) -> str:
    given = spec.backup.encryption_key
    return Home.find().made_backup_key(spec.name, given.get_secret_value() if given else "")


def _backups_location(spec: KubernetesSpec) -> str:
    return backups.location(spec.backup, Home.find().backups, spec.name)


def _access(bucket: BucketSpec) -> BucketAccess:
    access, secret = bucket.access_key, bucket.secret_key
    return BucketAccess(
        name=bucket.name,
        endpoint=pulumi.Output.from_input(bucket.endpoint or ""),
        region=bucket.region,
        access_key=pulumi.Output.from_input(access.get_secret_value() if access else ""),
        secret_key=pulumi.Output.secret(secret.get_secret_value() if secret else ""),
        share=RemoteShare(""),
    )

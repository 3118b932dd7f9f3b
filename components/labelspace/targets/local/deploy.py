"""Deploys a workspace on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pulumi
import pulumi_docker as docker

from labelspace.cvat.services import Secrets
from labelspace.outputs import BeforeUpgrade, DatabaseAccess, Deployment
from labelspace.secrets import random_password
from labelspace.spec import LocalSpec
from labelspace.targets.local.bucket import DatasetBucket
from labelspace.targets.local.container import create_context
from labelspace.targets.local.context import LOOPBACK, DockerContext, reachable
from labelspace.targets.local.database import AnnotationDatabase
from labelspace.targets.local.external_database import ExternalDatabase
from labelspace.targets.local.gateway import ACCESS_KEY, S3Gateway
from labelspace.targets.local.machine import Machine
from labelspace.targets.local.server import AnnotationServer, file_volumes


def deploy(
    parent: pulumi.Resource,
    spec: LocalSpec,
    secrets: Secrets,
    before_upgrade: BeforeUpgrade | None = None,
) -> Deployment:
    """Declare every part as a child of ``parent``."""
    context = _context(parent, spec)
    gateway_key = random_password(parent, spec.name, "gateway")
    buckets = [] if spec.deleted else _buckets(parent, spec, context, gateway_key)
    if spec.running:
        _gateway(parent, spec, context, gateway_key, buckets)
    files = file_volumes(context, parent)
    database = _database(parent, spec, context=context, password=secrets.database, files=files)
    server = AnnotationServer(
        spec.name,
        spec=spec,
        context=context,
        database=database,
        buckets=[bucket.access for bucket in buckets],
        secrets=replace(secrets, database=database.password),
        files=files,
        before_upgrade=before_upgrade,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[*buckets]),
    )
    return Deployment(
        url=pulumi.Output.all(server.ready, *(bucket.ready for bucket in buckets)).apply(
            lambda _: server.url
        ),
        api_url=f"http://{LOOPBACK if spec.tls else reachable(spec.bind_address)}:{spec.port}",
        buckets=tuple(bucket.access for bucket in buckets),
        backups=database.backups.summary(),
        on_this_engine=True,
        more={
            "sleep_after_minutes": spec.sleep_after_minutes,
            "deleted": spec.deleted,
            "database": "external" if spec.external_database else "own",
        },
    )


def _database(
    parent: pulumi.Resource,
    spec: LocalSpec,
    *,
    context: DockerContext,
    password: pulumi.Input[str],
    files: Mapping[str, docker.Volume],
) -> DatabaseAccess:
    """The user's database, or one in a container."""
    opts = pulumi.ResourceOptions(parent=parent)
    if spec.external_database:
        external = ExternalDatabase(
            spec.name,
            spec=spec.external_database,
            context=context,
            backup=spec.backup,
            running=spec.running,
            files=files,
            opts=opts,
        )
        return external.access
    return AnnotationDatabase(
        spec.name,
        context=context,
        password=password,
        backup=spec.backup,
        size=spec.size,
        running=spec.running,
        files=files,
        waits=False,  # `migrate` waits before it changes tables, `readiness` at its end
        opts=opts,
    ).access


def _context(parent: pulumi.Resource, spec: LocalSpec) -> DockerContext:
    """A deleted workspace has no network: the engine has only about thirty of them."""
    sleeps = spec.sleep_after_minutes > 0
    if spec.deleted:
        return DockerContext(spec.name, "", spec.bind_address, Machine(parent, spec.name), sleeps=sleeps)
    return create_context(parent, spec.name, spec.bind_address, sleeps=sleeps)


def _buckets(
    parent: pulumi.Resource, spec: LocalSpec, context: DockerContext, key: pulumi.Input[str]
) -> list[DatasetBucket]:
    return [
        DatasetBucket(
            f"{spec.name}-{bucket.name}",
            spec=bucket,
            context=context,
            endpoint=f"http://{reachable(spec.bind_address)}:{spec.s3_port}",
            access_key=ACCESS_KEY,
            secret_key=key,
            siblings=tuple(one.name for one in spec.buckets),
            running=spec.running,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for bucket in spec.buckets
    ]


def _gateway(
    parent: pulumi.Resource,
    spec: LocalSpec,
    context: DockerContext,
    key: pulumi.Input[str],
    buckets: list[DatasetBucket],
) -> None:
    S3Gateway(
        spec.name,
        context=context,
        port=spec.s3_port,
        secret_key=key,
        buckets=[bucket.access for bucket in buckets],
        depends_on=[*buckets],
        opts=pulumi.ResourceOptions(parent=parent),
    )

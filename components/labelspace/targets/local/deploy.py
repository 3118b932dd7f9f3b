"""Deploys a workspace on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pulumi

from labelspace.notify.service import SERVES_STATE
from labelspace.outputs import DatabaseAccess, Deployment, once_ready
from labelspace.secrets import random_password
from labelspace.spec import BackupSpec, BucketSpec, ExternalDatabaseSpec, LocalSpec
from labelspace.targets.base import Declaration
from labelspace.targets.local.bucket import DatasetBucket
from labelspace.targets.local.container import create_context
from labelspace.targets.local.context import LOOPBACK, DockerContext, reachable
from labelspace.targets.local.database import AnnotationDatabase
from labelspace.targets.local.external_database import ExternalDatabase
from labelspace.targets.local.gateway import ACCESS_KEY, S3Gateway
from labelspace.targets.local.machine import Machine
from labelspace.targets.local.notifier import notifier
from labelspace.targets.local.server import AnnotationServer, file_volumes


def deploy(declaration: Declaration[LocalSpec]) -> Deployment:
    """Declare every part as a child of the declaration's parent."""
    spec, parent = declaration.spec, declaration.parent
    context, shared = _context(declaration), declaration.database
    made = _own_buckets(declaration, context)
    files = shared.files if shared else file_volumes(context, parent)
    database = shared.access if shared else _database(declaration, context, files)
    accesses = {bucket.access.name: bucket.access for bucket in made} | {**declaration.buckets}
    buckets = [accesses[bucket.name] for bucket in spec.buckets if bucket.name in accesses]
    server = AnnotationServer(
        declaration.prefix,
        given=declaration.given,
        context=context,
        database=database,
        buckets=buckets,
        secrets=replace(declaration.secrets, database=database.password),
        files=files,
        before_upgrade=declaration.before_upgrade,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[*made, *declaration.depends_on]),
    )
    if spec.notify and spec.running:
        notifier(
            declaration.given,
            context,
            url=server.url,
            redis_password=declaration.secrets.redis,
            depends_on=[server],
            parent=parent,
        )
    ready = [bucket.ready for bucket in buckets if bucket.ready is not None]
    return Deployment(
        url=once_ready(server.url, server.ready, *ready),
        api_url=f"http://{LOOPBACK if spec.tls else reachable(spec.bind_address)}:{spec.port}",
        buckets=tuple(buckets),
        backups=database.backups.summary(),
        on_this_engine=True,
        more={
            "sleep_after_minutes": spec.sleep_after_minutes,
            "deleted": spec.deleted,
            "database": "external" if spec.external_database else "own",
        },
    )


def _context(declaration: Declaration[LocalSpec]) -> DockerContext:
    """A deleted workspace has no network: the engine has only about thirty of them."""
    spec, prefix, shared = declaration.spec, declaration.prefix, declaration.database
    sleeps = spec.sleep_after_minutes > 0
    if spec.deleted or shared:
        network, machine = shared.network if shared else "", Machine(declaration.parent, prefix, spec.name)
        return DockerContext(spec.name, prefix, network, spec.bind_address, machine, sleeps=sleeps)
    return create_context(declaration.parent, prefix, spec.name, spec.bind_address, sleeps=sleeps)


def _own_buckets(declaration: Declaration[LocalSpec], context: DockerContext) -> list[DatasetBucket]:
    """The buckets that are no components of their own, and the gateway that serves their folders.

    A deleted workspace keeps the gateway's key.
    """
    if all(bucket.name in declaration.buckets for bucket in declaration.spec.buckets):
        return []
    key = random_password(declaration.parent, declaration.prefix, "gateway")
    made = [] if declaration.spec.deleted else _buckets(declaration, context, key)
    if made and declaration.spec.running:
        S3Gateway(
            declaration.prefix,
            context=context,
            port=declaration.spec.s3_port,
            secret_key=key,
            buckets=[bucket.access for bucket in made],
            depends_on=[*made],
            opts=pulumi.ResourceOptions(parent=declaration.parent),
        )
    return made


def _buckets(
    declaration: Declaration[LocalSpec], context: DockerContext, key: pulumi.Input[str]
) -> list[DatasetBucket]:
    spec = declaration.spec
    return [
        DatasetBucket(
            context.child(bucket.name),
            given=declaration.given.part(BucketSpec, "buckets", index),
            context=context,
            endpoint=f"http://{reachable(spec.bind_address)}:{spec.s3_port}",
            access_key=ACCESS_KEY,
            secret_key=key,
            siblings=tuple(one.name for one in spec.buckets),
            running=spec.running,
            opts=pulumi.ResourceOptions(parent=declaration.parent),
        )
        for index, bucket in enumerate(spec.buckets)
        if bucket.name not in declaration.buckets
    ]


def _database(
    declaration: Declaration[LocalSpec], context: DockerContext, files: Mapping[str, pulumi.Resource]
) -> DatabaseAccess:
    """The user's database, or one in a container."""
    spec, given = declaration.spec, declaration.given
    opts, backup = pulumi.ResourceOptions(parent=declaration.parent), given.part(BackupSpec, "backup")
    environment = {SERVES_STATE: "1"} if spec.notify else None
    if spec.external_database:
        external = ExternalDatabase(
            declaration.prefix,
            spec=given.part(ExternalDatabaseSpec, "external_database"),
            context=context,
            given=backup,
            running=spec.running,
            files=files,
            environment=environment,
            opts=opts,
        )
        return external.access
    return AnnotationDatabase(
        declaration.prefix,
        context=context,
        password=declaration.secrets.database,
        given=backup,
        size=spec.size,
        running=spec.running,
        files=files,
        environment=environment,
        waits=False,  # `migrate` waits before it changes tables, `readiness` at its end
        opts=opts,
    ).access

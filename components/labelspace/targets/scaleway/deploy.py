"""Deploys a workspace on Scaleway."""

from __future__ import annotations

import pulumi

from labelspace.container_spec import Service
from labelspace.outputs import DatabaseAccess, Deployment, once_ready
from labelspace.spec import ScalewaySpec
from labelspace.targets.base import Declaration
from labelspace.targets.scaleway import bucket as buckets_of
from labelspace.targets.scaleway import database_on_server, host_name, project
from labelspace.targets.scaleway.bucket import DatasetBucket
from labelspace.targets.scaleway.context import ScalewayContext
from labelspace.targets.scaleway.database import AnnotationDatabase
from labelspace.targets.scaleway.iam import Identity
from labelspace.targets.scaleway.network import Network
from labelspace.targets.scaleway.prices import cost_output, database_type, server_type
from labelspace.targets.scaleway.server import AnnotationServer


def deploy(declaration: Declaration[ScalewaySpec]) -> Deployment:
    """Declare every part as a child of the declaration's parent."""
    spec, parent, prefix = declaration.spec, declaration.parent, declaration.prefix
    host_name.check(spec)
    server_type(spec), database_type(spec)  # raise before any resource is declared
    has_own_database = spec.scaleway.database == "server"
    if has_own_database:
        database_on_server.encryption_key(spec)
    context = project.project_context(parent, ScalewayContext.find(spec, prefix))
    child = pulumi.ResourceOptions(parent=parent)
    network = Network(prefix, context=context, opts=child)
    identity = Identity(
        prefix, context=context, address=network.address.address, expires=has_own_database, opts=child
    )
    datasets = _buckets(parent, spec, context, identity)
    _backup_bucket(parent, spec, context, identity)
    database, extra_services = _database(declaration, context=context, network=network, identity=identity)
    server = AnnotationServer(
        prefix,
        given=declaration.given,
        context=context,
        network=network,
        identity=identity,
        database=database,
        extra_services=extra_services,
        buckets=[dataset.access for dataset in datasets],
        secrets=declaration.secrets,
        opts=child,
    )
    return Deployment(
        url=once_ready(server.url, server.ready),
        api_url=server.url,
        buckets=tuple(dataset.access for dataset in datasets),
        backups=database.backups.summary(),
        more={
            "address": network.address.address,
            "region": context.region,
            "project": context.project,
            "cost": cost_output(spec),
            "database": spec.scaleway.database,
        },
    )


def _database(
    declaration: Declaration[ScalewaySpec],
    *,
    context: ScalewayContext,
    network: Network,
    identity: Identity,
) -> tuple[DatabaseAccess, tuple[Service, ...]]:
    """The kind of database that the spec names, and its containers on the server."""
    spec, prefix, password = declaration.spec, declaration.prefix, declaration.secrets.database
    child = pulumi.ResourceOptions(parent=declaration.parent)
    if network.private is None:
        own = database_on_server.AnnotationDatabase(
            prefix, given=declaration.given, place=context, identity=identity, password=password, opts=child
        )
        return own.access, (own.service,)
    managed = AnnotationDatabase(
        prefix, spec=spec, context=context, network=network.private.id, password=password, opts=child
    )
    return managed.access, ()


def _buckets(
    parent: pulumi.Resource, spec: ScalewaySpec, context: ScalewayContext, identity: Identity
) -> list[DatasetBucket]:
    return [
        DatasetBucket(
            f"{context.prefix}-{bucket.name}",
            spec=bucket,
            context=context,
            reader=identity.application.id,
            access_key=identity.key.access_key,
            secret_key=identity.key.secret_key,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for bucket in spec.buckets
    ]


def _backup_bucket(
    parent: pulumi.Resource, spec: ScalewaySpec, context: ScalewayContext, identity: Identity
) -> None:
    """Where backups go: the server may write there and read; delete only when pgBackRest must."""
    name = context.backup_bucket
    has_dumps = spec.scaleway.database == "managed"
    lifetime = buckets_of.Lifetime(
        spec.scaleway.old_versions_days, spec.backup.retention_days if has_dumps else None
    )
    made = buckets_of.bucket(parent, name, context, adopt=spec.scaleway.adopt_backups, lifetime=lifetime)
    expires = (buckets_of.DELETE,) if spec.scaleway.database == "server" else ()
    actions = (*buckets_of.READ, buckets_of.WRITE, *expires)
    buckets_of.policy(parent, made, name, context, reader=identity.application.id, actions=actions)

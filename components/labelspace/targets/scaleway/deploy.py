"""Deploys a workspace on Scaleway."""

from __future__ import annotations

import pulumi

from labelspace.container_spec import Service
from labelspace.cvat.services import Secrets
from labelspace.outputs import BeforeUpgrade, DatabaseAccess, Deployment
from labelspace.spec import ScalewaySpec
from labelspace.targets.scaleway import bucket as buckets_of
from labelspace.targets.scaleway import database_on_server, host_name, project
from labelspace.targets.scaleway.bucket import DatasetBucket
from labelspace.targets.scaleway.context import ScalewayContext
from labelspace.targets.scaleway.database import AnnotationDatabase
from labelspace.targets.scaleway.iam import Identity
from labelspace.targets.scaleway.network import Network
from labelspace.targets.scaleway.prices import cost_sentences, database_type, server_type
from labelspace.targets.scaleway.server import AnnotationServer


def deploy(
    parent: pulumi.Resource,
    spec: ScalewaySpec,
    secrets: Secrets,
    before_upgrade: BeforeUpgrade | None = None,
) -> Deployment:
    """Declare every part as a child of ``parent``."""
    host_name.check(spec)
    server_type(spec), database_type(spec)  # raise before any resource is declared
    has_own_database = spec.scaleway.database == "server"
    if has_own_database:
        database_on_server.encryption_key(spec)
    context = project.project_context(parent, ScalewayContext.find(spec))
    child = pulumi.ResourceOptions(parent=parent)
    network = Network(spec.name, context=context, opts=child)
    identity = Identity(
        spec.name, context=context, address=network.address.address, expires=has_own_database, opts=child
    )
    datasets = _buckets(parent, spec, context, identity)
    _backup_bucket(parent, spec, context, identity)
    database, extra_services = _database(
        parent, spec, context=context, network=network, identity=identity, password=secrets.database
    )
    server = AnnotationServer(
        spec.name,
        spec=spec,
        context=context,
        network=network,
        identity=identity,
        database=database,
        extra_services=extra_services,
        buckets=[dataset.access for dataset in datasets],
        secrets=secrets,
        opts=child,
    )
    return Deployment(
        url=pulumi.Output.all(server.url, server.ready).apply(lambda values: str(values[0])),
        api_url=server.url,
        buckets=tuple(dataset.access for dataset in datasets),
        backups=database.backups.summary(),
        more={
            "address": network.address.address,
            "region": context.region,
            "project": context.project,
            "cost": cost_sentences(spec),
            "database": spec.scaleway.database,
        },
    )


def _database(
    parent: pulumi.Resource,
    spec: ScalewaySpec,
    *,
    context: ScalewayContext,
    network: Network,
    identity: Identity,
    password: pulumi.Input[str],
) -> tuple[DatabaseAccess, tuple[Service, ...]]:
    """The kind of database that the spec names, and its containers on the server."""
    child = pulumi.ResourceOptions(parent=parent)
    if network.private is None:
        own = database_on_server.AnnotationDatabase(
            spec.name, spec=spec, place=context, identity=identity, password=password, opts=child
        )
        return own.access, (own.service,)
    managed = AnnotationDatabase(
        spec.name, spec=spec, context=context, network=network.private.id, password=password, opts=child
    )
    return managed.access, ()


def _buckets(
    parent: pulumi.Resource, spec: ScalewaySpec, context: ScalewayContext, identity: Identity
) -> list[DatasetBucket]:
    return [
        DatasetBucket(
            f"{spec.name}-{bucket.name}",
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

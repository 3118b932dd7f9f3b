"""The parts of a workspace on this machine, each made and handed to the next."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

from labelspace.contracts import Built
from labelspace.cvat.services import Secrets
from labelspace.generated import generated
from labelspace.home import Home
from labelspace.local.bucket import DatasetBucket
from labelspace.local.database import AnnotationDatabase
from labelspace.local.gateway import ACCESS_KEY, S3Gateway
from labelspace.local.place import WORKSPACE_LABEL, Place
from labelspace.local.server import AnnotationServer, file_volumes
from labelspace.spec import WorkspaceSpec


def build(workspace: pulumi.Resource, spec: WorkspaceSpec, secrets: Secrets) -> Built:
    """Declare every part as a child of ``workspace``."""
    place = _place(workspace, spec)
    gateway_key = generated(workspace, spec.name, "gateway")
    buckets = _buckets(workspace, spec, place, gateway_key)
    if spec.running:
        _gateway(workspace, spec, place, gateway_key, buckets)
    files = file_volumes(place, workspace)
    database = AnnotationDatabase(
        spec.name,
        place=place,
        password=secrets.database,
        backup=spec.backup,
        size=spec.size,
        running=spec.running,
        files=files,
        opts=pulumi.ResourceOptions(parent=workspace),
    )
    server = AnnotationServer(
        spec.name,
        spec=spec,
        place=place,
        database=database.access,
        buckets=[bucket.access for bucket in buckets],
        secrets=secrets,
        files=files,
        opts=pulumi.ResourceOptions(parent=workspace, depends_on=[*buckets]),
    )
    backups = database.access.backups
    return Built(
        url=server.ready.apply(lambda _: server.url),
        api_url=f"http://{_reachable(spec.listen)}:{spec.port}",
        buckets=tuple(bucket.access for bucket in buckets),
        backups={
            "where": backups.where,
            "schedule": f"changes within {backups.archive_timeout_seconds} s,"
            f" a backup every {spec.backup.every_hours} h",
            "keep": f"{backups.keep_days} days",
        },
    )


def _place(workspace: pulumi.Resource, spec: WorkspaceSpec) -> Place:
    name = f"labelspace-{spec.name}"
    label = docker.NetworkLabelArgs(label=WORKSPACE_LABEL, value=spec.name)
    opts = pulumi.ResourceOptions(parent=workspace)
    network = docker.Network(f"{spec.name}-network", name=name, labels=[label], opts=opts)
    return Place(spec.name, network.name, spec.listen, Home.find(), sleeps=spec.sleep_after_minutes > 0)


def _buckets(
    workspace: pulumi.Resource, spec: WorkspaceSpec, place: Place, key: pulumi.Input[str]
) -> list[DatasetBucket]:
    return [
        DatasetBucket(
            f"{spec.name}-{bucket.name}",
            spec=bucket,
            place=place,
            endpoint=f"http://{_reachable(spec.listen)}:{spec.s3_port}",
            access_key=ACCESS_KEY,
            secret_key=key,
            beside=tuple(one.name for one in spec.buckets),
            running=spec.running,
            opts=pulumi.ResourceOptions(parent=workspace),
        )
        for bucket in spec.buckets
    ]


def _gateway(
    workspace: pulumi.Resource,
    spec: WorkspaceSpec,
    place: Place,
    key: pulumi.Input[str],
    buckets: list[DatasetBucket],
) -> None:
    S3Gateway(
        spec.name,
        place=place,
        port=spec.s3_port,
        secret_key=key,
        buckets=[bucket.access for bucket in buckets],
        depends_on=[*buckets],
        opts=pulumi.ResourceOptions(parent=workspace),
    )


def _reachable(listen: str) -> str:
    """An address at which this machine's programs reach what listens there."""
    return "127.0.0.1" if listen in ("0.0.0.0", "::") else listen  # noqa: S104 - compared, not bound

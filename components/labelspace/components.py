"""The parts of a workspace as separate components, on this machine's Docker engine.

Each goes by a name of its own on the engine, ``labelspace-<name>-...``, as a workspace does. Renaming the
resource with an alias keeps everything when ``name_on_engine`` goes on saying the old name.
"""
# Annotations are real here, not text: the component provider derives its schema from them.

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_docker as docker

from labelspace.cvat.names import DATABASE_NAME, DATABASE_USER
from labelspace.secrets import random_password, workspace_secrets
from labelspace.spec import (
    AdminSpec,
    AnnotationDatabaseSpec,
    BackupSpec,
    BucketSpec,
    DatasetBucketSpec,
    DefaultRole,
    LocalSpec,
    Registration,
    Size,
    validate,
)
from labelspace.targets.local import bucket as local_bucket
from labelspace.targets.local import database as local_database
from labelspace.targets.local import server as local_server
from labelspace.targets.local.container import create_context
from labelspace.targets.local.context import DockerContext, reachable
from labelspace.targets.local.gateway import ACCESS_KEY, S3Gateway


class DatasetBucket(pulumi.ComponentResource):
    """A dataset bucket by itself: a folder of this machine, versioned, served over S3 by its own gateway.

    ``port``: TCP port of this machine for S3, 1024 to 65535. ``bucket``: the bucket's name, by default the
    resource's. The folder outlives the stack. Raises ``SpecError`` that names the refused value.
    """

    bucket: pulumi.Output[str]
    """The bucket's name."""
    endpoint: pulumi.Output[str]
    """S3 endpoint, as URL; resolves when the gateway runs."""
    region: pulumi.Output[str]
    """Region that requests are signed for."""
    access_key: pulumi.Output[str]
    """S3 access key."""
    secret_key: pulumi.Output[str]
    """S3 secret key; secret."""
    folder: pulumi.Output[str]
    """The same objects as files: an absolute path of this machine."""

    def __init__(
        self,
        name: str,
        *,
        port: int,
        bucket: str | None = None,
        bind_address: str = "127.0.0.1",
        name_on_engine: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        values = {
            "name": name_on_engine or name,
            "bucket": bucket or name,
            "bind_address": bind_address,
            "port": port,
        }
        spec = validate(DatasetBucketSpec, values)
        super().__init__("labelspace:index:DatasetBucket", name, None, opts)
        self._context = create_context(self, spec.name, spec.bind_address, part="gateway")
        made = self._bucket(spec)
        gateway = self._gateway(spec, made)
        self.access = made.access
        self.bucket = pulumi.Output.from_input(spec.bucket)
        self.endpoint = gateway.container.id.apply(lambda _: made.access.endpoint)
        self.region = pulumi.Output.from_input(made.access.region)
        self.access_key, self.secret_key = pulumi.Output.from_input(ACCESS_KEY), made.access.secret_key
        folder = self._context.machine.path(lambda home: home.buckets / spec.bucket)
        self.folder = pulumi.Output.all(made.ready, folder).apply(lambda values: str(values[1]))
        self.register_outputs({"bucket": self.bucket, "endpoint": self.endpoint, "folder": self.folder})

    def _bucket(self, spec: DatasetBucketSpec) -> local_bucket.DatasetBucket:
        return local_bucket.DatasetBucket(
            f"{spec.name}-{spec.bucket}",
            spec=BucketSpec(name=spec.bucket),
            context=self._context,
            endpoint=f"http://{reachable(spec.bind_address)}:{spec.port}",
            access_key=ACCESS_KEY,
            secret_key=random_password(self, spec.name, "gateway"),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _gateway(self, spec: DatasetBucketSpec, made: local_bucket.DatasetBucket) -> S3Gateway:
        return S3Gateway(
            spec.name,
            context=self._context,
            port=spec.port,
            secret_key=made.access.secret_key,
            buckets=[made.access],
            depends_on=[made],
            opts=pulumi.ResourceOptions(parent=self),
        )


class AnnotationDatabase(pulumi.ComponentResource):
    """An annotation database by itself: PostgreSQL 15, backed up by pgBackRest from the first minute.

    ``size`` sets its memory limit: small 1, medium 2, large 4 GiB. It is reached from containers in
    ``network``; no port of this machine leads to it. Data and backups outlive the stack. Raises
    ``SpecError`` that names the refused value.
    """

    host: pulumi.Output[str]
    """Its name in ``network``; resolves when it answers and its first backup is there."""
    port: pulumi.Output[int]
    """TCP port in ``network``."""
    database: pulumi.Output[str]
    """The database's name."""
    user: pulumi.Output[str]
    """The database's owner."""
    password: pulumi.Output[str]
    """The owner's password; secret."""
    network: pulumi.Output[str]
    """The Docker network to join."""
    backups: pulumi.Output[str]
    """Where its backups are: a folder, or a bucket as ``s3://`` URL."""

    def __init__(
        self,
        name: str,
        *,
        backup: BackupSpec | Mapping[str, Any] | None = None,
        size: Size = "small",
        name_on_engine: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        values = {"name": name_on_engine or name, "size": size, "backup": backup or BackupSpec()}
        spec = validate(AnnotationDatabaseSpec, values)
        super().__init__("labelspace:index:AnnotationDatabase", name, None, opts)
        self._context = create_context(self, spec.name, "127.0.0.1", part="database")
        self._files = local_server.file_volumes(self._context, self)
        made = self._database(spec)
        self.access = made.access
        host = self._context.named("database")
        self.host = made.access.ready.apply(lambda _: host)
        self.port = pulumi.Output.from_input(made.access.port)
        self.database = pulumi.Output.from_input(DATABASE_NAME)
        self.user, self.password = pulumi.Output.from_input(DATABASE_USER), made.access.password
        self.network = pulumi.Output.from_input(self._context.network)
        self.backups = pulumi.Output.from_input(made.access.backups.where)
        self.register_outputs({"host": self.host, "network": self.network, "backups": self.backups})

    def _database(self, spec: AnnotationDatabaseSpec) -> local_database.AnnotationDatabase:
        return local_database.AnnotationDatabase(
            spec.name,
            context=self._context,
            password=random_password(self, spec.name, "database"),
            backup=spec.backup,
            size=spec.size,
            files=self._files,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def server_context(self, bind_address: str) -> tuple[DockerContext, Mapping[str, docker.Volume]]:
        """Where an annotation server on this database lives, and the volumes of files backed up with it."""
        return replace(self._context, bind_address=bind_address), self._files


class AnnotationServer(pulumi.ComponentResource):
    """CVAT on a database and buckets that the same program declares: a workspace assembled from its parts.

    It lives in its database's network and goes by its database's name. ``port``: TCP port of this
    machine, 1024 to 65535. ``admin_password``: as for ``Workspace``. Raises ``SpecError`` that names the
    refused value.
    """

    url: pulumi.Output[str]
    """Where people work; resolves when the server is ready."""
    api_url: pulumi.Output[str]
    """The same server for programs (CVAT's REST API)."""
    admin_password: pulumi.Output[str]
    """The superuser's password; secret."""

    def __init__(
        self,
        name: str,
        *,
        database: AnnotationDatabase,
        buckets: Sequence[DatasetBucket],
        port: int = 8080,
        bind_address: str = "127.0.0.1",
        admin: AdminSpec | Mapping[str, Any] | None = None,
        admin_password: pulumi.Input[str] | None = None,
        registration: Registration = "open",
        default_role: DefaultRole = "worker",
        size: Size = "small",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        context, files = database.server_context(bind_address)
        spec = validate(
            LocalSpec,
            {
                "name": context.workspace,
                "buckets": [{"name": bucket.access.name} for bucket in buckets],
                "admin": admin or AdminSpec(),
                "registration": registration,
                "default_role": default_role,
                "bind_address": bind_address,
                "port": port,
                "s3_port": 8081 if port != 8081 else 8080,  # the buckets have gateways of their own
                "size": size,
            },
        )
        super().__init__("labelspace:index:AnnotationServer", name, None, opts)
        secrets = workspace_secrets(
            self, spec.name, spec.admin, admin_password=admin_password, database=database.password
        )
        made = local_server.AnnotationServer(
            spec.name,
            spec=spec,
            context=context,
            database=database.access,
            buckets=[bucket.access for bucket in buckets],
            secrets=secrets,
            files=files,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*buckets]),
        )
        self.url = made.ready.apply(lambda _: made.url)
        self.api_url = made.ready.apply(lambda _: f"http://{reachable(bind_address)}:{port}")
        self.admin_password = pulumi.Output.secret(secrets.admin)
        self.register_outputs({"url": self.url, "api_url": self.api_url})

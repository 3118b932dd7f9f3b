"""The parts of a workspace as separate components, on this machine's Docker engine.

Each has a name on the engine, ``labelspace-<name>-...``, as a workspace does: by default that of its
resource. Renaming the resource with an alias keeps everything when the argument ``name`` is the old name.
"""
# Annotations are real here, not text: the component provider derives its schema from them.

from collections.abc import Mapping
from typing import Any, TypeVar, Unpack

import pulumi

from labelspace.args import AnnotationDatabaseArgs, AnnotationServerArgs, DatasetBucketArgs
from labelspace.cvat.names import DATABASE_NAME, DATABASE_USER
from labelspace.given import Given
from labelspace.outputs import SharedDatabase, once_ready
from labelspace.secrets import random_password, workspace_secrets
from labelspace.spec import (
    AdminSpec,
    AnnotationDatabaseSpec,
    BackupSpec,
    BucketSpec,
    DatasetBucketSpec,
    LocalSpec,
    Settings,
    SpecError,
    SpecPart,
)
from labelspace.targets.local import bucket as local_bucket
from labelspace.targets.local import database as local_database
from labelspace.targets.local import server as local_server
from labelspace.targets.local.container import create_context
from labelspace.targets.local.context import DockerContext, reachable
from labelspace.targets.local.gateway import ACCESS_KEY, S3Gateway
from labelspace.targets.local.machine import Machine

_Spec = TypeVar("_Spec", bound=SpecPart)


class DatasetBucket(pulumi.ComponentResource):
    """A dataset bucket by itself: a folder of this machine, versioned, served over S3 by its own gateway.

    The folder outlives the stack. Raises ``SpecError`` that names the refused value.
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
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **args: Unpack[DatasetBucketArgs],
    ) -> None:
        """Declare the bucket: each key of ``DatasetBucketArgs`` is a keyword."""
        given = _parse(DatasetBucketSpec, resource_name, args)
        spec = given.known
        super().__init__("labelspace:index:DatasetBucket", resource_name, given.inputs(), opts)
        self._context = create_context(self, resource_name, spec.name, spec.bind_address, part="gateway")
        made = self._bucket(spec)
        gateway = self._gateway(spec, made)
        self.access = made.access
        self.bucket = pulumi.Output.from_input(spec.name)
        self.endpoint = once_ready(made.access.endpoint, gateway.container.id)
        self.region = pulumi.Output.from_input(made.access.region)
        self.access_key, self.secret_key = pulumi.Output.from_input(ACCESS_KEY), made.access.secret_key
        folder = self._context.machine.path(lambda home: home.buckets / spec.name)
        self.folder = once_ready(folder, made.ready)
        _register(self, "bucket", "endpoint", "region", "access_key", "secret_key", "folder")

    def _bucket(self, spec: DatasetBucketSpec) -> local_bucket.DatasetBucket:
        return local_bucket.DatasetBucket(
            self._context.prefix,
            given=Given.of(BucketSpec(name=spec.name)),
            context=self._context,
            endpoint=f"http://{reachable(spec.bind_address)}:{spec.port}",
            access_key=ACCESS_KEY,
            secret_key=random_password(self, self._context.prefix, "gateway"),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _gateway(self, spec: DatasetBucketSpec, made: local_bucket.DatasetBucket) -> S3Gateway:
        return S3Gateway(
            self._context.prefix,
            context=self._context,
            port=spec.port,
            secret_key=made.access.secret_key,
            buckets=[made.access],
            depends_on=[made],
            opts=pulumi.ResourceOptions(parent=self),
        )


class AnnotationDatabase(pulumi.ComponentResource):
    """An annotation database by itself: PostgreSQL 15, backed up by pgBackRest from the first minute.

    It is reached from containers in ``network``; no port of this machine leads to it. Data and backups
    outlive the stack. Raises ``SpecError`` that names the refused value.
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
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **args: Unpack[AnnotationDatabaseArgs],
    ) -> None:
        """Declare the database: each key of ``AnnotationDatabaseArgs`` is a keyword."""
        given = _parse(AnnotationDatabaseSpec, resource_name, args)
        name = given.known.name
        super().__init__("labelspace:index:AnnotationDatabase", resource_name, given.inputs(), opts)
        self._context = create_context(self, resource_name, name, "127.0.0.1", part="database")
        files = local_server.file_volumes(self._context, self)
        access = self._database(given, files).access
        self.shared = SharedDatabase(access, name, self._context.network, files)
        host = self._context.named("database")
        self.host = once_ready(host, access.ready)
        self.port = pulumi.Output.from_input(access.port)
        self.database = pulumi.Output.from_input(DATABASE_NAME)
        self.user, self.password = pulumi.Output.from_input(DATABASE_USER), access.password
        self.network = pulumi.Output.from_input(self._context.network)
        self.backups = pulumi.Output.from_input(access.backups.where)
        _register(self, "host", "port", "database", "user", "password", "network", "backups")

    def _database(
        self, given: Given[AnnotationDatabaseSpec], files: Mapping[str, pulumi.Resource]
    ) -> local_database.AnnotationDatabase:
        return local_database.AnnotationDatabase(
            self._context.prefix,
            context=self._context,
            password=random_password(self, self._context.prefix, "database"),
            given=given.part(BackupSpec, "backup"),
            size=given.known.size,
            files=files,
            opts=pulumi.ResourceOptions(parent=self),
        )


class AnnotationServer(pulumi.ComponentResource):
    """CVAT on a database and buckets that the same program declares: a workspace assembled from its parts.

    It lives in its database's network and goes by its database's name. Raises ``SpecError`` that names the
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
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **args: Unpack[AnnotationServerArgs],
    ) -> None:
        """Declare the server: each key of ``AnnotationServerArgs`` is a keyword."""
        given = _server_settings(args)
        database, buckets = args["database"].shared, [*args["buckets"]]
        spec = given.known
        super().__init__("labelspace:index:AnnotationServer", resource_name, given.inputs(), opts)
        machine = Machine(self, resource_name, spec.name)
        context = DockerContext(spec.name, resource_name, database.network, spec.bind_address, machine)
        secrets = workspace_secrets(
            self, resource_name, given.part(AdminSpec, "admin"), database=database.access.password
        )
        made = local_server.AnnotationServer(
            resource_name,
            given=given,
            context=context,
            database=database.access,
            buckets=[bucket.access for bucket in buckets],
            secrets=secrets,
            files=database.files,
            opts=pulumi.ResourceOptions(parent=self, depends_on=buckets),
        )
        api_url = f"http://{reachable(spec.bind_address)}:{spec.port}"
        self.url = once_ready(made.url, made.ready)
        self.api_url = once_ready(api_url, made.ready)
        self.admin_password = pulumi.Output.secret(secrets.admin)
        _register(self, "url", "api_url", "admin_password")


def _parse(model: type[_Spec], resource_name: str, args: Mapping[str, Any]) -> Given[_Spec]:
    """The arguments as settings; the name is by default the resource's. Raises ``SpecError``."""
    name = args.get("name")
    return Given.parse(model, {**args, "name": resource_name if name is None else name})


def _server_settings(args: AnnotationServerArgs) -> Given[LocalSpec]:
    """The settings of a workspace of these components; raises ``SpecError``."""
    absent = [f"{key}: missing: give a component" for key in ("database", "buckets") if key not in args]
    if absent:
        raise SpecError(absent)
    values: Settings = {key: value for key, value in args.items() if key != "database"}
    values["name"] = args["database"].shared.workspace
    values["buckets"] = [{"name": bucket.access.name} for bucket in args["buckets"]]
    values["s3_port"] = 8080 if args.get("port") == 8081 else 8081  # unused: the buckets have gateways
    return Given.parse(LocalSpec, values)


def _register(component: pulumi.ComponentResource, *outputs: str) -> None:
    """End a component's construction: its outputs, as its state holds them."""
    component.register_outputs({name: getattr(component, name) for name in outputs})

"""The components for stacks in other languages: each takes one typed block of arguments.

``pulumi.provider.experimental`` derives the schema from these annotations and docstrings. ``labelspace.spec``
validates the values. All are plain values, because they are validated before resources are declared; only the
admin's password may be another resource's output.
"""
# Annotations are real here, not text: the schema is read from them.

from typing import Any, NotRequired, TypedDict

import pulumi

from labelspace import components as parts_module
from labelspace import workspace
from labelspace.spec import parse_spec


class BucketArgs(TypedDict):
    """A dataset bucket of a workspace, on the workspace's target."""

    name: str
    """3 to 63 lowercase letters, digits, dots and hyphens."""
    path: NotRequired[str]
    """Local: a folder of your own on this machine, which is only read; by default a new folder."""
    adopt: NotRequired[bool]
    """Scaleway: take over a bucket of the project that is there already, as it is."""


class AdminArgs(TypedDict):
    """The admin: CVAT's superuser."""

    username: NotRequired[str]
    """5 to 150 characters; by default admin."""
    email: NotRequired[str]
    """At most 254 characters; by default admin@localhost."""


class BackupArgs(TypedDict):
    """When the annotation database is copied, and for how long copies are kept."""

    archive_timeout_seconds: NotRequired[int]
    """Longest time an annotation waits before its change log is archived: 5 to 30 seconds, by default 30."""
    retention_days: NotRequired[int]
    """Days whose every moment can be restored: 1 to 365, by default 7."""
    interval_hours: NotRequired[int]
    """Hours between two backups: 1 to 168, by default 6."""
    full_interval_days: NotRequired[int]
    """Days between two full backups: 1 to 60, by default 7."""
    drill_interval_days: NotRequired[int]
    """Days between two drills: 0 (none) to 60, by default 7."""
    max_shrink_percent: NotRequired[int]
    """Share of CVAT's files that a backup may lack against the one before: 1 to 99 %, by default 50."""
    encryption_key: NotRequired[str]
    """What encrypts backups, 32 characters or more; by default a key of this machine."""


class EgressArgs(TypedDict):
    """Which private addresses CVAT itself may connect to."""

    allow: NotRequired[list[str]]
    """Addresses, networks and host names; ``gateway`` is the S3 gateway. By default none."""


class ScalewayArgs(TypedDict):
    """What only the scaleway target asks."""

    region: NotRequired[str]
    """fr-par (default), nl-ams or pl-waw."""
    server_type: NotRequired[str]
    """Commercial type of the Instance; by default by size."""
    database_type: NotRequired[str]
    """Node type of the managed PostgreSQL; by default by size."""
    database: NotRequired[str]
    """managed (default): Scaleway's PostgreSQL; server: one on the Instance (needs backup.encryption_key)."""
    data_gb: NotRequired[int]
    """Block volume in GB, 10 to 10000, by default 50; it can grow, never shrink."""
    adopt_volume: NotRequired[str]
    """Take over the block volume that an earlier workspace of this name left, by its id, with its data."""
    project: NotRequired[str]
    """shared (default), or own: a project that is the workspace's alone."""
    adopt_project: NotRequired[str]
    """Take over the project that an earlier workspace of this name left, by its id."""
    database_gb: NotRequired[int]
    """The database's volume in GB, 10 to 10000 in steps of 5, by default 10."""
    subnet_cidr: NotRequired[str]
    """Private IPv4 network, by default 10.37.0.0/24."""
    domain: NotRequired[str]
    """Host name of the server; by default one that is made from its address."""
    dns_zone: NotRequired[str]
    """The zone of domain at Scaleway, for the record to be made."""
    acme_directory: NotRequired[str]
    """Who signs the certificate: the URL of an ACME directory; by default Let's Encrypt."""
    acme_ca_certificate: NotRequired[str]
    """PEM of the authority that signed the directory's own certificate, when machines do not know it."""
    ssh_cidrs: NotRequired[list[str]]
    """Addresses that may reach port 22; by default none."""
    ssh_public_key: NotRequired[str]
    """Public key (OpenSSH) that opens the server to them; by default those of the project alone."""
    provisioner: NotRequired[str]
    """Who runs Pulumi: application_id:UUID or user_id:UUID; by default buckets get no policy of their own."""
    adopt_backups: NotRequired[bool]
    """Take over the bucket that an earlier workspace of this name left its backups in."""
    wait_minutes: NotRequired[int]
    """How long an update waits for the URL to answer: 0 to 120 minutes, by default 20."""


class TlsArgs(TypedDict):
    """The files of a certificate of your own, and where HTTPS is served."""

    certificate: str
    """Absolute path of a PEM file of this machine: the server's certificate, then intermediate ones."""
    key: str
    """Absolute path of the PEM file of its private key."""
    host: NotRequired[str]
    """Name or IP address that people open; by default the first one in the certificate."""
    port: NotRequired[int]
    """TCP port of HTTPS, 1024 to 65535, by default 8443."""


class WorkspaceArgs(TypedDict):
    """The settings of one workspace."""

    buckets: list[BucketArgs]
    """Its dataset buckets, at least one."""
    name_on_engine: NotRequired[str]
    """Its name on the engine and in its URL; by default the resource's name."""
    description: NotRequired[str]
    """At most 500 characters."""
    target: NotRequired[str]
    """local (default) or scaleway."""
    admin: NotRequired[AdminArgs]
    """The admin's names."""
    admin_password: NotRequired[pulumi.Input[str]]
    """The admin's password, secret; by default one is generated."""
    registration: NotRequired[str]
    """open (default): annotators sign up alone; closed: the admin makes accounts."""
    default_role: NotRequired[str]
    """CVAT's group of a new account: worker (default) or user."""
    bind_address: NotRequired[str]
    """IP address that the URL is served on, by default 127.0.0.1."""
    public_url: NotRequired[str]
    """Address that browsers open when your own TLS proxy is in front, such as https://labels.example.org."""
    trusted_proxies: NotRequired[list[str]]
    """Networks from which that proxy connects; by default this machine's."""
    tls: NotRequired[TlsArgs]
    """A certificate of your own, with which the workspace itself serves HTTPS; target local."""
    port: NotRequired[int]
    """TCP port of the URL, 1024 to 65535, by default 8080."""
    s3_port: NotRequired[int]
    """TCP port of the S3 gateway, 1024 to 65535, by default 8081."""
    size: NotRequired[str]
    """small (default), medium or large."""
    cvat_version: NotRequired[str]
    """Version of CVAT, by default the newest tested one."""
    allow_untested_cvat: NotRequired[bool]
    """Whether an untested version of CVAT may run; by default false."""
    star_banner: NotRequired[bool]
    """Whether CVAT asks annotators for a star on GitHub; by default false."""
    backup: NotRequired[BackupArgs]
    """When backups are made and how long they are kept."""
    egress: NotRequired[EgressArgs]
    """Which private addresses CVAT itself may connect to."""
    running: NotRequired[bool]
    """False: its containers are gone, its data stays. By default true."""
    scaleway: NotRequired[ScalewayArgs]
    """What only the scaleway target asks."""
    sleep_after_minutes: NotRequired[int]
    """Minutes without a user before it sleeps, 0 (never, default) to 10080."""


class Workspace(workspace.Workspace):
    """A CVAT server with its admin, its dataset buckets and its backed-up annotation database."""

    def __init__(self, name: str, args: WorkspaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        values: dict[str, Any] = {**args}
        password = values.pop("admin_password", None)
        values["name"] = values.pop("name_on_engine", name)
        super().__init__(name, parse_spec(values), opts, admin_password=password)


class DatasetBucketArgs(TypedDict):
    """The settings of a separate dataset bucket."""

    port: int
    """TCP port of its S3 gateway, 1024 to 65535."""
    bucket: NotRequired[str]
    """3 to 63 lowercase letters, digits, dots and hyphens; by default the resource's name."""
    bind_address: NotRequired[str]
    """IP address that S3 is served on, by default 127.0.0.1."""
    name_on_engine: NotRequired[str]
    """What its containers are called; by default the resource's name."""


class DatasetBucket(parts_module.DatasetBucket):
    """A dataset bucket by itself: a folder of this machine, versioned, served over S3 by its own gateway."""

    def __init__(
        self, name: str, args: DatasetBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, **args, opts=opts)


class AnnotationDatabaseArgs(TypedDict):
    """The settings of a separate annotation database."""

    backup: NotRequired[BackupArgs]
    """When backups are made and how long they are kept."""
    size: NotRequired[str]
    """Memory limit: small (default) 1, medium 2, large 4 GiB."""
    name_on_engine: NotRequired[str]
    """What its container and volumes are called; by default the resource's name."""


class AnnotationDatabase(parts_module.AnnotationDatabase):
    """An annotation database by itself: PostgreSQL 15, backed up by pgBackRest from the first minute."""

    def __init__(
        self, name: str, args: AnnotationDatabaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        values: dict[str, Any] = {**args}
        super().__init__(name, opts=opts, **values)


VERSION = "0.1.0"
"""The version of the package. A constant, because a plugin's folder is no installed distribution."""
COMPONENTS: list[type[pulumi.ComponentResource]] = [Workspace, DatasetBucket, AnnotationDatabase]
"""What the package offers; ``AnnotationServer`` takes other components, which no argument block can hold."""

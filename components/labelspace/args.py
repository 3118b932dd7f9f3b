"""The arguments of the components, for programs and for Pulumi's schema.

``labelspace.spec`` validates the values. An argument typed ``Input`` takes outputs; each other one decides
which resources there are, so that its value must be known. Tests compare the arguments with the spec.
"""
# Annotations are real here, not text: Pulumi's schema is read from them.

from collections.abc import Sequence
from typing import TYPE_CHECKING, NotRequired, TypeAlias, TypedDict

from pulumi import Input

from labelspace import spec
from labelspace.choices import enum_of

if TYPE_CHECKING:
    from labelspace.components import AnnotationDatabase, DatasetBucket
    from labelspace.spec import (
        DatabaseKind,
        DatabaseSslMode,
        DefaultRole,
        EmailSecurity,
        NoticeFormat,
        ProjectKind,
        Region,
        Registration,
        Size,
        Target,
    )
else:  # a program gives the texts; other languages get these enums from the schema
    _CHOICES = {
        "DatabaseKind": "Where the annotation database of the target scaleway runs.",
        "DatabaseSslMode": "What is verified of a database of your own.",
        "DefaultRole": "CVAT's group of a new account.",
        "EmailSecurity": "Encryption of the connection to the SMTP server.",
        "NoticeFormat": "The format of a notice to a webhook.",
        "ProjectKind": "The project of Scaleway that a workspace is in.",
        "Region": "A region of Scaleway.",
        "Registration": "Who makes the accounts of annotators.",
        "Size": "How many workers run, and how much memory each part may take.",
        "Target": "Where a workspace runs.",
    }
    globals().update({name: enum_of(name, getattr(spec, name), text) for name, text in _CHOICES.items()})


class BucketArgs(TypedDict):
    """A dataset bucket of a workspace: on the workspace's target, or at any S3 endpoint."""

    name: str
    """3 to 63 lowercase letters, digits, dots and hyphens; in CVAT the folder of that name in the share."""
    path: NotRequired[str | None]
    """Local: a folder of your own on this machine, which is only read; by default a new folder."""
    endpoint: NotRequired[Input[str] | None]
    """URL of the S3 endpoint of a remote bucket; by default a bucket of the workspace's own target."""
    region: NotRequired[Input[str] | None]
    """Region that requests to the endpoint are signed for; by default us-east-1."""
    access_key: NotRequired[Input[str] | None]
    """S3 access key for the endpoint, secret; by default none, for a public bucket."""
    secret_key: NotRequired[Input[str] | None]
    """S3 secret key for the endpoint, secret."""
    adopt: NotRequired[bool | None]
    """Scaleway: take over a bucket of the project that is there already, as it is."""


class AdminArgs(TypedDict):
    """The admin: CVAT's superuser, who assigns the work."""

    username: NotRequired[Input[str] | None]
    """5 to 150 characters; by default admin."""
    email: NotRequired[Input[str] | None]
    """At most 254 characters; by default admin@localhost."""
    password: NotRequired[Input[str] | None]
    """The password, secret: 8 characters or more, by CVAT's rules; by default one is generated."""


class BackupBucketArgs(TypedDict):
    """An S3 bucket for the backups, anywhere, over HTTPS."""

    name: str
    """3 to 63 lowercase letters, digits, dots and hyphens."""
    endpoint: Input[str]
    """URL of the S3 endpoint: https://HOST or https://HOST:PORT."""
    region: NotRequired[Input[str] | None]
    """Region that requests to the endpoint are signed for; by default us-east-1."""
    access_key: Input[str]
    """S3 access key, secret; it must write and delete."""
    secret_key: Input[str]
    """S3 secret key, secret."""
    ca_certificate: NotRequired[Input[str] | None]
    """PEM of the authority that signed the endpoint's certificate, when machines do not know it."""


class BackupArgs(TypedDict):
    """When the annotation database is copied, where to, and for how long copies are kept."""

    archive_timeout_seconds: NotRequired[int | None]
    """Longest time an annotation waits before its WAL segment is archived: 5 to 30 seconds, by default 30."""
    retention_days: NotRequired[int | None]
    """Days whose every moment can be restored: 1 to 365, by default 7."""
    interval_hours: NotRequired[int | None]
    """Hours between two backups: 1 to 168, by default 6."""
    full_interval_days: NotRequired[int | None]
    """Days between two full backups: 1 to 60, by default 7."""
    drill_interval_days: NotRequired[int | None]
    """Days between two drills: 0 (none) to 60, by default 7."""
    max_shrink_percent: NotRequired[int | None]
    """Share of CVAT's files that a backup may lack against the one before: 1 to 99 %, by default 50."""
    max_unarchived_mb: NotRequired[int | None]
    """Change log that may wait while the place of the backups is away: 64 to 1000000 MB, by default 4096."""
    bucket: NotRequired[BackupBucketArgs | None]
    """Where backups go; by default a folder of this machine, on Scaleway a bucket of the workspace's own."""
    encryption_key: NotRequired[Input[str] | None]
    """What encrypts backups, 32 characters or more, secret; by default a key of this machine."""


class ExternalDatabaseArgs(TypedDict):
    """A PostgreSQL database of your own, version 15 or later, which containers can reach."""

    host: Input[str]
    """Host name or IP address, as the containers reach it."""
    port: NotRequired[int | None]
    """TCP port, by default 5432."""
    name: NotRequired[Input[str] | None]
    """The database's name, by default cvat; the database is empty, or this workspace's."""
    user: NotRequired[Input[str] | None]
    """The role that owns the database, by default cvat."""
    password: Input[str]
    """The role's password, secret."""
    ca_certificate: NotRequired[Input[str] | None]
    """PEM of the authority that signed the server's certificate; by default a public authority."""
    sslmode: NotRequired[DatabaseSslMode | None]
    """verify-full (default): certificate and host name; verify-ca: the certificate; disable: no TLS."""


class EgressArgs(TypedDict):
    """Which private addresses CVAT itself may connect to, for webhooks and cloud storages."""

    allow: NotRequired[Sequence[str] | None]
    """Addresses, networks and host names; ``gateway`` is the S3 gateway. By default none."""


class TlsArgs(TypedDict):
    """The files of a certificate of your own, and where HTTPS is served."""

    certificate: str
    """Absolute path of a PEM file of this machine: the server's certificate, then intermediate ones."""
    key: str
    """Absolute path of the PEM file of its private key."""
    host: NotRequired[str | None]
    """Name or IP address that people open; by default the first one in the certificate."""
    port: NotRequired[int | None]
    """TCP port of HTTPS, 1024 to 65535, by default 8443."""


class EmailArgs(TypedDict):
    """The SMTP server through which CVAT sends its mails; target local."""

    host: str
    """Host name or IP address of the SMTP server, as the containers reach it."""
    port: NotRequired[int | None]
    """TCP port, by default 587."""
    user: NotRequired[str | None]
    """User name at the SMTP server; by default none, for a server that takes mails without a login."""
    password: NotRequired[Input[str] | None]
    """Password at the SMTP server, secret."""
    from_: str
    """Address from which the mails come."""
    security: NotRequired[EmailSecurity | None]
    """Encryption: starttls (default), tls (from the start), or none."""
    confirm_addresses: NotRequired[bool | None]
    """Whether accounts sign in only after they confirmed their address; by default true."""


class NotifyArgs(TypedDict):
    """Receivers of a notice when a fault begins and ends: a webhook, an address, or both; target local."""

    webhook: NotRequired[Input[str] | None]
    """URL of the incoming webhook, secret."""
    email: NotRequired[str | None]
    """Address that gets a mail, through the SMTP server of email."""
    format: NotRequired[NoticeFormat | None]
    """auto (default), slack, mattermost, teams or json; auto: by the webhook's URL."""
    down_minutes: NotRequired[int | None]
    """Minutes that a part must be out of reach before it is reported: 1 to 1440, by default 5."""


class ScalewayArgs(TypedDict):
    """The settings that only the target scaleway has."""

    region: NotRequired[Region | None]
    """fr-par (default), nl-ams or pl-waw."""
    zone: NotRequired[int | None]
    """Availability zone of the region: 1."""
    server_type: NotRequired[str | None]
    """Commercial type of the Instance; by default by size."""
    database: NotRequired[DatabaseKind | None]
    """managed (default): Scaleway's PostgreSQL; server: one on the Instance (needs backup.encryption_key)."""
    database_type: NotRequired[str | None]
    """Node type of the managed PostgreSQL; by default by size."""
    data_gb: NotRequired[int | None]
    """Block volume in GB, 10 to 10000, by default 50; it can grow, never shrink."""
    adopt_volume: NotRequired[str | None]
    """Take over the block volume that an earlier workspace of this name left, by its id, with its data."""
    database_gb: NotRequired[int | None]
    """The database's volume in GB, 10 to 10000 in steps of 5, by default 10."""
    project: NotRequired[ProjectKind | None]
    """shared (default), or own: a project that is the workspace's alone."""
    adopt_project: NotRequired[str | None]
    """Take over the project that an earlier workspace of this name left, by its id."""
    subnet_cidr: NotRequired[str | None]
    """Private IPv4 network, such as 10.37.0.0/24; by default Scaleway chooses one."""
    domain: NotRequired[str | None]
    """Host name of the URL, whose A record leads to the workspace's address."""
    trial_hostname: NotRequired[bool | None]
    """Without domain, serve a name under sslip.io that follows the address, for a trial."""
    dns_zone: NotRequired[str | None]
    """The zone of domain at Scaleway, for the record to be made."""
    acme_directory: NotRequired[str | None]
    """Who signs the certificate: the URL of an ACME directory; by default Let's Encrypt."""
    acme_email: NotRequired[str | None]
    """Contact for the certificate; with it, ZeroSSL is asked after Let's Encrypt."""
    acme_ca_certificate: NotRequired[str | None]
    """PEM of the authority that signed the directory's own certificate, when machines do not know it."""
    acme_after_lets_encrypt: NotRequired[bool | None]
    """Ask Let's Encrypt first, and acme_directory when that gives no certificate; by default false."""
    acme_eab_key_id: NotRequired[str | None]
    """Key id of the account at acme_directory (external account binding), where one is needed."""
    acme_eab_hmac: NotRequired[Input[str] | None]
    """HMAC key of that account, base64url, secret."""
    ssh_cidrs: NotRequired[Sequence[str] | None]
    """Addresses that may reach port 22; by default none."""
    ssh_public_key: NotRequired[str | None]
    """Public key (OpenSSH) that opens the server to them; by default those of the project alone."""
    deployers: NotRequired[Sequence[str] | None]
    """Who may use the buckets: application_id:UUID or user_id:UUID; by default buckets get no policy."""
    old_versions_days: NotRequired[int | None]
    """Days that a deleted or overwritten backup stays in its bucket: 1 to 365, by default 7."""
    adopt_backups: NotRequired[bool | None]
    """Take over the bucket that an earlier workspace of this name left its backups in."""
    wait_minutes: NotRequired[int | None]
    """How long an update waits for the URL to answer: 0 to 120 minutes, by default 20."""


class IngressArgs(TypedDict):
    """How the cluster's ingress controller serves the URL."""

    host: str
    """Host name of the URL."""
    class_name: NotRequired[str | None]
    """The IngressClass; by default the cluster's default one."""
    tls_secret: NotRequired[str | None]
    """Secret with certificate and key for host; by default the issuer's, without one plain HTTP."""
    issuer: NotRequired[str | None]
    """cert-manager's ClusterIssuer that signs a certificate for host; by default none."""


class KubernetesArgs(TypedDict):
    """The settings that only the target kubernetes has."""

    context: NotRequired[str | None]
    """Context of the kubeconfig file; by default the workspace's own provider."""
    namespace: NotRequired[str | None]
    """Namespace that exists, for this workspace alone; by default labelspace-NAME is made."""
    ingress: NotRequired[IngressArgs | None]
    """Serve the URL by an ingress controller."""
    node_port: NotRequired[int | None]
    """Serve the URL on this port of every node, 30000 to 32767, over HTTP; needs url."""
    url: NotRequired[str | None]
    """The address that browsers open, where it is not that of ingress."""
    storage_class: NotRequired[str | None]
    """StorageClass of every volume; by default the cluster's default one."""
    data_gb: NotRequired[int | None]
    """Volume for CVAT's own files, 1 to 10000 GiB, by default 20."""
    database_gb: NotRequired[int | None]
    """Volume of the annotation database, 1 to 10000 GiB, by default 10."""
    image_prefix: NotRequired[str | None]
    """Put before the name of every image, such as registry.example.org/mirror/."""
    image_pull_secret: NotRequired[str | None]
    """Secret in the namespace with the login of the registry; by default none."""
    node_selector: NotRequired[Sequence[str] | None]
    """Labels, KEY=VALUE, that a node must have to run a pod of the workspace; by default none."""
    tolerations: NotRequired[Sequence[str] | None]
    """Taints, KEY[=VALUE][:EFFECT], that do not keep the workspace's pods away; by default none."""
    priority_class: NotRequired[str | None]
    """PriorityClass of every pod; by default the cluster's default one."""


if TYPE_CHECKING:
    Bucket: TypeAlias = BucketArgs | DatasetBucket
    Database: TypeAlias = ExternalDatabaseArgs | AnnotationDatabase
else:
    Bucket, Database = BucketArgs, ExternalDatabaseArgs


class WorkspaceArgs(TypedDict):
    """The settings of one workspace: its buckets, and whatever differs from the defaults."""

    buckets: Sequence[Bucket]
    """Its dataset buckets, at least one: settings of buckets, and DatasetBucket components."""
    name: NotRequired[str | None]
    """Its name on the engine and in its URL; by default the resource's name."""
    description: NotRequired[Input[str] | None]
    """What it is for; at most 500 characters."""
    target: NotRequired[Target | None]
    """Where it runs: local (default, this machine's Docker engine), scaleway or kubernetes."""
    admin: NotRequired[AdminArgs | None]
    """The admin's names and password."""
    registration: NotRequired[Registration | None]
    """open (default): annotators sign up alone; closed: the admin makes accounts."""
    default_role: NotRequired[DefaultRole | None]
    """CVAT's group of a new account: worker (default) or user."""
    size: NotRequired[Size | None]
    """How many workers run, and how much memory each part may take: small (default), medium or large."""
    cvat_version: NotRequired[str | None]
    """Version of CVAT, by default the newest tested one."""
    allow_untested_cvat: NotRequired[bool | None]
    """Whether an untested version of CVAT may run; by default false."""
    star_banner: NotRequired[bool | None]
    """Whether CVAT asks annotators for a star on GitHub; by default false."""
    backup: NotRequired[BackupArgs | None]
    """When backups are made, where they go and how long they are kept."""
    database: NotRequired[Database | None]
    """Target local: an AnnotationDatabase or one of your own; by default the workspace makes one."""
    egress: NotRequired[EgressArgs | None]
    """Which private addresses CVAT itself may connect to; by default none."""
    running: NotRequired[bool | None]
    """False: its containers are gone, its data stays. By default true."""
    bind_address: NotRequired[str | None]
    """IP address that the URL is served on, by default 127.0.0.1."""
    port: NotRequired[int | None]
    """TCP port of the URL, 1024 to 65535, by default 8080."""
    s3_port: NotRequired[int | None]
    """TCP port of the S3 gateway, 1024 to 65535, by default 8081."""
    public_url: NotRequired[str | None]
    """Address that browsers open when your own TLS proxy is in front, such as https://labels.example.org."""
    trusted_proxies: NotRequired[Sequence[str] | None]
    """Networks from which that proxy connects; by default this machine's."""
    tls: NotRequired[TlsArgs | None]
    """A certificate of your own, with which the workspace itself serves HTTPS; target local."""
    email: NotRequired[EmailArgs | None]
    """The SMTP server for CVAT's mails; by default none, and CVAT sends no mails; target local."""
    notify: NotRequired[NotifyArgs | None]
    """A webhook that is called when a fault begins and when it ends; target local."""
    sleep_after_minutes: NotRequired[int | None]
    """Minutes without a user before it sleeps, 0 (never, default) to 10080."""
    scaleway: NotRequired[ScalewayArgs | None]
    """What only the scaleway target asks."""
    kubernetes: NotRequired[KubernetesArgs | None]
    """What only the kubernetes target asks."""


class DatasetBucketArgs(TypedDict):
    """The settings of a separate dataset bucket."""

    port: int
    """TCP port of its S3 gateway, 1024 to 65535."""
    name: NotRequired[str | None]
    """3 to 63 lowercase letters, digits, dots and hyphens; by default the resource's name."""
    bind_address: NotRequired[str | None]
    """IP address that S3 is served on, by default 127.0.0.1."""


class AnnotationDatabaseArgs(TypedDict):
    """The settings of a separate annotation database."""

    name: NotRequired[str | None]
    """What its container and volumes are called; by default the resource's name."""
    size: NotRequired[Size | None]
    """Memory limit: small (default) 1, medium 2, large 4 GiB."""
    backup: NotRequired[BackupArgs | None]
    """When backups are made, where they go and how long they are kept."""


class AnnotationServerArgs(TypedDict):
    """The settings of CVAT on a database and buckets of the same program."""

    database: "AnnotationDatabase"
    """The annotation database; the server lives in its network and goes by its name."""
    buckets: "Sequence[DatasetBucket]"
    """The dataset buckets, at least one."""
    port: NotRequired[int | None]
    """TCP port of the URL, 1024 to 65535, by default 8080."""
    bind_address: NotRequired[str | None]
    """IP address that the URL is served on, by default 127.0.0.1."""
    admin: NotRequired[AdminArgs | None]
    """The admin's names and password."""
    registration: NotRequired[Registration | None]
    """open (default): annotators sign up alone; closed: the admin makes accounts."""
    default_role: NotRequired[DefaultRole | None]
    """CVAT's group of a new account: worker (default) or user."""
    size: NotRequired[Size | None]
    """How many workers run, and how much memory each part may take: small (default), medium or large."""

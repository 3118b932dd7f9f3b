"""What a workspace is wished to be: every limit and every error message about it stands here.

``WorkspaceSpec`` is frozen and validated as a whole before anything is created. Sources of the limits:
CVAT 2.73 (``cvat/settings/base.py``, ``cvat/apps/iam``), Amazon S3's bucket naming rules, Docker's names.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from labelspace.password_policy import password_problem

Target = Literal["local", "scaleway"]
Size = Literal["small", "medium", "large"]
Region = Literal["fr-par", "nl-ams", "pl-waw"]
Registration = Literal["open", "closed"]
DefaultRole = Literal["worker", "user"]

SUPPORTED_CVAT = "2.73"
"""The line of CVAT whose containers were read and run; its patch releases keep them."""
DEFAULT_CVAT = "2.73.0"

MAX_NAME = 32
"""Characters in a workspace's name: it is part of container, volume and host names (at most 63 each)."""

UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_USERNAME = re.compile(r"[\w.@+-]+", re.ASCII)
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_EMAIL = re.compile(r"[^@\s\"'<>]+@([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+")


class SpecError(ValueError):
    """A wish that cannot be granted; each problem names the field, the value and the next step."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def _name(value: str) -> str:
    if len(value) > MAX_NAME or not _NAME.fullmatch(value):
        raise ValueError(
            f"use 1 to {MAX_NAME} lowercase letters, digits and hyphens, a letter first, no hyphen last"
            " (for example 'street-scenes')"
        )
    return value


def _bucket_name(value: str) -> str:
    if not _BUCKET.fullmatch(value) or ".." in value or _is_address(value):
        raise ValueError(
            "use 3 to 63 lowercase letters, digits, dots and hyphens, a letter or digit at both ends,"
            " no '..', not an IP address (Amazon S3's rules)"
        )
    return value


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _listen(value: str) -> str:
    if not _is_address(value):
        raise ValueError(
            "give an IP address of this machine: 127.0.0.1 serves this machine alone,"
            " 0.0.0.0 everybody who reaches it"
        )
    return value


def _username(value: str) -> str:
    if not 5 <= len(value) <= 150 or not _USERNAME.fullmatch(value):
        raise ValueError("use 5 to 150 letters, digits and . @ + - _ (CVAT's rule for user names)")
    return value


def _email(value: str) -> str:
    if len(value) > 254 or not _EMAIL.fullmatch(value):
        raise ValueError("give an address such as ann@example.org, at most 254 characters")
    return value


def _cvat_version(value: str) -> str:
    version = value.removeprefix("v")
    if not re.fullmatch(rf"{re.escape(SUPPORTED_CVAT)}\.\d{{1,4}}", version):
        raise ValueError(f"supported: {DEFAULT_CVAT} and later patch releases of {SUPPORTED_CVAT}")
    return version


Name = Annotated[str, AfterValidator(_name)]
BucketName = Annotated[str, AfterValidator(_bucket_name)]
Port = Annotated[int, Field(ge=1024, le=65535)]


def _cidr(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        raise ValueError(
            "give a network such as 203.0.113.0/24, or one address such as 203.0.113.7/32"
        ) from None


def _admins(value: str) -> str:
    if ipaddress.ip_network(_cidr(value)).prefixlen == 0:
        raise ValueError("it would open port 22 to everybody: give the networks that admins come from")
    return _cidr(value)


def _separated(value: Any) -> Any:
    """A list, or a text with commas, as a command line gives it."""
    return [part for part in value.split(",") if part] if isinstance(value, str) else value


def _private_network(value: str) -> str:
    network = ipaddress.ip_network(_cidr(value))
    docker = ipaddress.ip_network("172.16.0.0/12")
    if network.version != 4 or not network.is_private or not 16 <= network.prefixlen <= 28:
        raise ValueError("give a private IPv4 network of /16 to /28, such as 10.37.0.0/24")
    if network.overlaps(docker):
        raise ValueError("172.16.0.0/12 is where Docker puts its networks: choose one such as 10.37.0.0/24")
    return str(network)


def _backup_key(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]{32,}", value.get_secret_value()):
        raise ValueError("use 32 or more letters, digits and signs without spaces, made at random")
    return value


def _domain(value: str) -> str:
    if len(value) > 253 or not _DOMAIN.fullmatch(value):
        raise ValueError("give a host name such as labels.example.org")
    return value


class _Part(BaseModel):
    """A frozen part of the wish; unknown keys are mistakes, not extras."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_Wish = TypeVar("_Wish", bound=_Part)


class BucketSpec(_Part):
    """A dataset bucket: kept on this machine, or reached at any S3 endpoint."""

    name: BucketName
    """The bucket's name; in CVAT the folder of that name under Connected file share."""
    endpoint: str | None = None
    """S3 endpoint of a bucket elsewhere, as URL; none: a bucket of the workspace's own target."""
    region: str = "us-east-1"
    """Region that requests to ``endpoint`` are signed for."""
    access_key: SecretStr | None = None
    """S3 access key for ``endpoint``; none: a public bucket."""
    secret_key: SecretStr | None = None
    """S3 secret key for ``endpoint``."""
    adopt: bool = False
    """Scaleway: take over a bucket of the project that is there already, as it is."""

    @field_validator("endpoint")
    @classmethod
    def _endpoint_is_url(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+/?", value):
            raise ValueError("give a URL such as https://s3.fr-par.scw.cloud")
        if value is not None and re.match(r"https?://(localhost|127\.|\[::1\])", value):
            raise ValueError(
                "containers cannot reach this machine's loopback: give an address of its network"
            )
        return value

    @model_validator(mode="after")
    def _credentials_belong_together(self) -> BucketSpec:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("give both access_key and secret_key, or neither for a public bucket")
        if self.endpoint is None and self.access_key is not None:
            raise ValueError("access_key is for a bucket elsewhere: add its endpoint")
        return self


class AdminSpec(_Part):
    """The admin: CVAT's superuser. Without a password one is generated."""

    username: Annotated[str, AfterValidator(_username)] = "admin"
    """User name of CVAT's superuser."""
    email: Annotated[str, AfterValidator(_email)] = "admin@localhost"
    """E-mail address of CVAT's superuser."""
    password: SecretStr | None = None
    """Password of CVAT's superuser; none: one is generated. Eight characters or more, with a digit, an upper
    and a lower case letter, not common, not like user name and e-mail (CVAT's rules)."""

    @model_validator(mode="after")
    def _password_is_strong(self) -> AdminSpec:
        if self.password is not None:
            problem = password_problem(self.password.get_secret_value(), self.username, self.email)
            if problem:
                raise ValueError(f"password: {problem}")
        return self


class BackupBucketSpec(_Part):
    """An S3 bucket for the backups, anywhere; pgBackRest speaks S3 over HTTPS alone."""

    name: BucketName
    """The bucket's name."""
    endpoint: str
    """URL of the S3 endpoint, ``https://host`` or ``https://host:port``."""
    region: str = "us-east-1"
    """Region that requests to ``endpoint`` are signed for."""
    access_key: SecretStr
    """S3 access key; it must write and delete."""
    secret_key: SecretStr
    """S3 secret key."""
    ca_certificate: str | None = None
    """PEM of the authority that signed the endpoint's certificate, when machines do not know it."""

    @field_validator("endpoint")
    @classmethod
    def _endpoint_is_https(cls, value: str) -> str:
        if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?/?", value):
            raise ValueError("give a URL such as https://s3.fr-par.scw.cloud (backups go over HTTPS alone)")
        return value.rstrip("/")


class BackupSpec(_Part):
    """When the annotation database is copied, where to, and for how long copies are kept."""

    archive_timeout_seconds: int = Field(default=30, ge=5, le=30)
    """Longest time an annotation waits before its change log is archived, in seconds."""
    retention_days: int = Field(default=7, ge=1, le=365)
    """Days whose every moment can be restored."""
    interval_hours: int = Field(default=6, ge=1, le=168)
    """Hours between two backups; the changes in between are archived all the time."""
    full_interval_days: int = Field(default=7, ge=1, le=60)
    """Days between two full backups; those in between hold what changed."""
    drill_interval_days: int = Field(default=7, ge=0, le=60)
    """Days between two drills; 0: none on a schedule."""
    bucket: BackupBucketSpec | None = None
    """Where backups go; none: a folder of this machine."""
    encryption_key: Annotated[SecretStr, AfterValidator(_backup_key)] | None = None
    """What encrypts them, 32 characters or more; none: a key of this machine, made when there is none."""


class ScalewaySpec(_Part):
    """What only the scaleway target asks; which types there are stands in ``scaleway/prices.py``."""

    region: Region = "fr-par"
    """Where everything of the workspace is."""
    zone: Literal[1, 2, 3] = 1
    """Availability zone of the region; managed databases are on a private network in the first alone."""
    server_type: str | None = None
    """Commercial type of the Instance; none: by ``size``."""
    database: Literal["managed", "server"] = "managed"
    """Whose PostgreSQL: Scaleway's, or one on the Instance, archived to the backup bucket; it stays so."""
    database_type: str | None = None
    """Node type of the managed PostgreSQL; none: by ``size``."""
    data_gb: int = Field(default=50, ge=10, le=10000)
    """Block volume for what CVAT keeps; it can grow, never shrink."""
    adopt_volume: str | None = Field(default=None, pattern=UUID)
    """Take over the block volume that an earlier workspace of this name left, by its id, with its data."""
    database_gb: int = Field(default=10, ge=10, le=10000, multiple_of=5)
    """Volume of the managed PostgreSQL."""
    project: Literal["shared", "own"] = "shared"
    """``own``: a project that is the workspace's alone, which IAM's rights end at; 25 are an account's."""
    adopt_project: str | None = Field(default=None, pattern=UUID)
    """Take over the project that an earlier workspace of this name left, by its id."""
    subnet_cidr: Annotated[str, AfterValidator(_private_network)] = "10.37.0.0/24"
    """Addresses of the private network."""
    domain: Annotated[str, AfterValidator(_domain)] | None = None
    """Host name of the URL; none: a name under sslip.io that follows the address."""
    dns_zone: Annotated[str, AfterValidator(_domain)] | None = None
    """The zone of ``domain`` at Scaleway, for the record to be made; none: make it by hand."""
    acme_directory: str | None = None
    """URL of the ACME directory that signs the certificate; none: Let's Encrypt, as Caddy chooses."""
    acme_ca_certificate: str | None = None
    """PEM of the authority that signed the directory's own certificate, when machines do not know it."""
    ssh_cidrs: Annotated[
        tuple[Annotated[str, AfterValidator(_admins)], ...], BeforeValidator(_separated)
    ] = ()
    """Addresses that may reach port 22; none: the port is closed."""
    ssh_public_key: str | None = Field(default=None, pattern=r"^(ssh|ecdsa)-\S+ [A-Za-z0-9+/=]+( \S+)?$")
    """Public key (OpenSSH) that opens the server to them; ``labelspace create`` makes a missing one."""
    provisioner: str | None = Field(default=None, pattern=r"^(application_id|user_id):[0-9a-f-]{36}$")
    """Who runs Pulumi, as bucket policies name it; none: buckets get no policy of their own."""
    adopt_backups: bool = False
    """Take over the bucket that an earlier workspace of this name left its backups in."""
    wait_minutes: int = Field(default=20, ge=0, le=120)
    """How long an update waits for the URL to answer; 0: it ends when the server runs."""

    @field_validator("acme_directory")
    @classmethod
    def _directory_is_https(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(
            r"https://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._/-]*)?", value
        ):
            raise ValueError("give a URL such as https://acme-staging-v02.api.letsencrypt.org/directory")
        return value

    @model_validator(mode="after")
    def _directory_is_given(self) -> ScalewaySpec:
        if self.acme_ca_certificate and not self.acme_directory:
            raise ValueError("acme_ca_certificate is for an authority of your own: add its acme_directory")
        return self

    @model_validator(mode="after")
    def _only_its_own(self) -> ScalewaySpec:
        if self.adopt_project and self.project != "own":
            raise ValueError("adopt_project: it is for project: own: set that, or leave adopt_project out")
        if self.database_type and self.database == "server":
            raise ValueError(
                "database_type: it is for database: managed: set that, or leave database_type out"
            )
        return self

    @model_validator(mode="after")
    def _zone_exists(self) -> ScalewaySpec:
        if self.dns_zone and not f".{self.domain or ''}".endswith(f".{self.dns_zone}"):
            raise ValueError(
                f"domain {self.domain!r} is not in dns_zone {self.dns_zone!r}: give a name in it"
            )
        if self.zone != 1:
            raise ValueError(
                "zone: only 1: managed databases are on a private network in the first zone alone"
            )
        return self


class WorkspaceSpec(_Part):
    """The validated wish for one workspace; one workspace is one Pulumi stack."""

    name: Name
    """The workspace's name; its stack's name as well."""
    description: str = Field(default="", max_length=500)
    """What it is for, in your words."""
    target: Target = "local"
    """Where it runs: this machine's Docker engine, or Scaleway."""
    buckets: tuple[BucketSpec, ...]
    """The dataset buckets, at least one."""
    admin: AdminSpec = AdminSpec()
    """The one who assigns the work: CVAT's superuser."""
    registration: Registration = "open"
    """Open: annotators sign up by themselves; closed: only the admin makes accounts."""
    default_role: DefaultRole = "worker"
    """CVAT's group of a new account: ``worker`` sees what is assigned, ``user`` browses the share, too."""
    bind_address: Annotated[str, AfterValidator(_listen)] = "127.0.0.1"
    """Address of this machine that serves URL and S3 (local target): 127.0.0.1 is this machine alone."""
    port: Port = 8080
    """Host port of the annotation server."""
    s3_port: Port = 8081
    """Host port of the workspace's own S3 gateway (local target)."""
    size: Size = "small"
    """How many workers run, and how much memory each part may take."""
    cvat_version: Annotated[str, AfterValidator(_cvat_version)] = DEFAULT_CVAT
    """The annotation server's version."""
    backup: BackupSpec = BackupSpec()
    """When the annotation database is backed up, where to, and for how long."""
    running: bool = True
    """False: the containers are gone (Scaleway: the server is stopped); everything that they keep stays."""
    scaleway: ScalewaySpec = ScalewaySpec()
    """What only the target ``scaleway`` asks."""
    sleep_after_minutes: int = Field(default=0, ge=0, le=10080)
    """Minutes without a user before the workspace sleeps (local target); 0: never."""

    @field_validator("buckets")
    @classmethod
    def _at_least_one_bucket(cls, buckets: tuple[BucketSpec, ...]) -> tuple[BucketSpec, ...]:
        names = [bucket.name for bucket in buckets]
        if not names:
            raise ValueError("name at least one dataset bucket (--bucket NAME)")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{twice[0]!r} is named twice: name each bucket once")
        return buckets

    @model_validator(mode="after")
    def _ports_differ(self) -> WorkspaceSpec:
        if self.port == self.s3_port:
            raise ValueError(f"port and s3_port are both {self.port}: give two different ports")
        return self

    @model_validator(mode="after")
    def _scaleway_takes_it(self) -> WorkspaceSpec:
        if self.target != "scaleway":
            return self
        elsewhere = next((bucket.name for bucket in self.buckets if bucket.endpoint), None)
        if elsewhere:
            raise ValueError(
                f"bucket {elsewhere!r}: target scaleway has no buckets elsewhere in this version:"
                " leave endpoint out"
            )
        if self.backup.bucket:
            raise ValueError(
                "backup.bucket is for target local: scaleway keeps backups in a bucket of its own; leave it"
                " out"
            )
        dotted = next((bucket.name for bucket in self.buckets if "." in bucket.name), None)
        if dotted:
            raise ValueError(
                f"bucket {dotted!r}: a dot breaks the certificate of Scaleway's storage: use hyphens"
            )
        return self

    @model_validator(mode="after")
    def _target_can_sleep(self) -> WorkspaceSpec:
        if self.sleep_after_minutes and self.target != "local":
            raise ValueError(
                "sleep_after_minutes is for target local: leave it at 0, and stop the workspace with"
                " `labelspace stop` instead"
            )
        return self


class DatasetBucketSpec(_Part):
    """The validated wish for a dataset bucket by itself, on this machine."""

    name: Name
    bucket: BucketName
    bind_address: Annotated[str, AfterValidator(_listen)] = "127.0.0.1"
    port: Port
    """Host port of its S3 gateway."""


class AnnotationDatabaseSpec(_Part):
    """The validated wish for an annotation database by itself, on this machine."""

    name: Name
    size: Size = "small"
    backup: BackupSpec = BackupSpec()


def parse_spec(values: Mapping[str, Any]) -> WorkspaceSpec:
    """Validate ``values``; raises ``SpecError`` with one line for each problem."""
    return validate(WorkspaceSpec, values)


def validate(wish: type[_Wish], values: Mapping[str, Any]) -> _Wish:
    """``values`` as a ``wish``; raises ``SpecError`` with one line for each problem."""
    try:
        return wish.model_validate(values)
    except ValidationError as error:
        raise SpecError([_sentence(problem) for problem in error.errors(include_url=False)]) from None


_BLOCKS = ("buckets", "admin", "backup", "scaleway")
_NUMBERS = ("port", "s3_port", "sleep_after_minutes")
_SWITCHES = ("running",)
_TRUTHS = {"true": True, "false": False}


def parse_setting(key: str, text: str) -> Any:
    """A setting as a stack's file holds it, text or JSON, turned into what ``parse_spec`` takes."""
    if key in _BLOCKS:
        return json.loads(text)
    if key in _SWITCHES:
        return _TRUTHS.get(text.lower(), text)
    return int(text) if key in _NUMBERS else text


def dump_with_secrets(spec: BaseModel) -> dict[str, Any]:
    """The wish as plain JSON values, its secrets in the clear: only for what is encrypted."""
    return {key: _revealed(value) for key, value in spec.model_dump().items()}


def _revealed(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {key: _revealed(item) for key, item in value.items()}
    return [_revealed(item) for item in value] if isinstance(value, list | tuple) else value


def _sentence(problem: Any) -> str:
    field = ".".join(str(part) for part in problem["loc"]) or "workspace"
    message = _next_step(problem)
    if problem["type"] == "missing" or _is_late(problem["input"]):
        return f"{field}: {message}"
    return f"{field}: {_shown(field, problem['input'])}{message}"


def _shown(field: str, value: Any) -> str:
    """The refused value, never a secret one and never a whole block of settings."""
    secret = any(word in field for word in ("password", "secret_key", "access_key", "backup.encryption_key"))
    if secret or isinstance(value, dict | BaseModel | list | tuple):
        return ""
    return f"{value!r} is refused: "


def _is_late(value: Any) -> bool:
    """Whether it is one of Pulumi's outputs; a wish knows nothing of Pulumi."""
    return callable(getattr(value, "apply", None))


def _next_step(problem: Any) -> str:
    if _is_late(problem["input"]):
        return "is secret, or known only after another resource is made: give a plain value"
    choices = {
        "target": Target,
        "size": Size,
        "registration": Registration,
        "default_role": DefaultRole,
    }
    field = str(problem["loc"][-1]) if problem["loc"] else ""
    if problem["type"] == "literal_error" and field in choices:
        return f"choose one of {', '.join(get_args(choices[field]))}"
    if problem["type"] == "missing":
        return (
            "missing: name at least one dataset bucket (--bucket NAME)"
            if field == "buckets"
            else "missing: give a value"
        )
    if problem["type"] in ("bool_parsing", "bool_type"):
        return "use true or false"
    if problem["type"] == "extra_forbidden":
        return f"unknown setting; known here: see {WorkspaceSpec.__name__}"
    return str(problem["msg"]).removeprefix("Value error, ")

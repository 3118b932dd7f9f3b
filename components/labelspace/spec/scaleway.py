"""A workspace on Scaleway."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator

from labelspace.spec.base import SpecPart
from labelspace.spec.egress import split_port
from labelspace.spec.fields import Email, Registration, cidr, separated
from labelspace.spec.late import Late
from labelspace.spec.workspace import WorkspaceSpec

Region = Literal["fr-par", "nl-ams", "pl-waw"]
DatabaseKind = Literal["managed", "server"]
ProjectKind = Literal["shared", "own"]
UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
PRIVATE_RANGES = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""What private networks at Scaleway may be part of."""
DOCKER_RANGE = ipaddress.IPv4Network("10.213.0.0/16")
"""The server's Docker takes its networks from here: Scaleway gives out those of Docker's usual range."""
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


def _admins(value: str) -> str:
    if ipaddress.ip_network(cidr(value)).prefixlen == 0:
        raise ValueError("it would open port 22 to everybody: give the networks that admins come from")
    return cidr(value)


def _private_network(value: str) -> str:
    network = ipaddress.ip_network(cidr(value))
    is_private = isinstance(network, ipaddress.IPv4Network) and any(map(network.subnet_of, PRIVATE_RANGES))
    if not is_private or not 20 <= network.prefixlen <= 29:
        raise ValueError("give a private IPv4 network of /20 to /29, such as 10.37.0.0/24")
    if network.overlaps(DOCKER_RANGE):
        raise ValueError(f"{DOCKER_RANGE} is where Docker puts its networks: choose one such as 10.37.0.0/24")
    return str(network)


def _domain(value: str) -> str:
    if len(value) > 253 or not _DOMAIN.fullmatch(value):
        raise ValueError("give a host name such as labels.example.org")
    return value


def _deployer(value: str) -> str:
    if not re.fullmatch(r"(application_id|user_id):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        raise ValueError(
            "give user_id:UUID or application_id:UUID, which bucket policies can name (not groups: name"
            " their members)"
        )
    return value


def _mac_key(value: SecretStr) -> SecretStr:
    """The key without padding, as Caddy reads it (acmez decodes unpadded base64url)."""
    text = value.get_secret_value().rstrip("=")
    if not re.fullmatch(r"[A-Za-z0-9_-]{8,}", text) or len(text) % 4 == 1:
        raise ValueError("give the HMAC key as the authority shows it: base64url (letters, digits, - and _)")
    return SecretStr(text)


Deployer = Annotated[str, AfterValidator(_deployer)]


class ScalewaySettings(SpecPart):
    """Settings of the target scaleway alone. ``targets/scaleway/prices.py`` lists the known types."""

    region: Region = "fr-par"
    """Where everything of the workspace is."""
    zone: Literal[1, 2, 3] = 1
    """Availability zone of the region: the first alone in this version."""
    server_type: str | None = None
    """Commercial type of the Instance; none: by ``size``."""
    database: DatabaseKind = "managed"
    """Whose PostgreSQL: Scaleway's, or one on the Instance, archived to the backup bucket; it stays so."""
    database_type: str | None = None
    """Node type of the managed PostgreSQL; none: by ``size``."""
    data_gb: int = Field(default=50, ge=10, le=10000)
    """Block volume for what CVAT keeps; it can grow, never shrink."""
    adopt_volume: str | None = Field(default=None, pattern=UUID)
    """Take over the block volume that an earlier workspace of this name left, by its id, with its data."""
    database_gb: int = Field(default=10, ge=10, le=10000, multiple_of=5)
    """Volume of the managed PostgreSQL."""
    project: ProjectKind = "shared"
    """``own``: a project that is the workspace's alone, which IAM's rights end at; 25 are an account's."""
    adopt_project: str | None = Field(default=None, pattern=UUID)
    """Take over the project that an earlier workspace of this name left, by its id."""
    subnet_cidr: Annotated[str, AfterValidator(_private_network)] | None = None
    """Addresses of the private network of server and managed database; none: Scaleway chooses them."""
    domain: Annotated[str, AfterValidator(_domain)] | None = None
    """Host name of the URL, whose A record leads to the workspace's address."""
    trial_hostname: bool = False
    """Without ``domain``, serve a name under sslip.io that follows the address: for a trial, as all names
    there share one weekly limit of Let's Encrypt."""
    dns_zone: Annotated[str, AfterValidator(_domain)] | None = None
    """The zone of ``domain`` at Scaleway, for the record to be made; none: make it by hand."""
    acme_directory: str | None = None
    """URL of the ACME directory that signs the certificate; none: Let's Encrypt, as Caddy chooses."""
    acme_email: Email | None = None
    """Contact for the certificate; with it, ZeroSSL is asked after Let's Encrypt."""
    acme_ca_certificate: str | None = None
    """PEM of the authority that signed the directory's own certificate, when machines do not know it."""
    acme_after_lets_encrypt: bool = False
    """Ask Let's Encrypt first, and ``acme_directory`` when that gives no certificate."""
    acme_eab_key_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._~:/+=-]+$")
    """Key id of the account at ``acme_directory`` (external account binding), where one is needed."""
    acme_eab_hmac: Annotated[Annotated[SecretStr, AfterValidator(_mac_key)] | None, Late("stand-in")] = None
    """HMAC key of that account, base64url."""
    ssh_cidrs: Annotated[tuple[Annotated[str, AfterValidator(_admins)], ...], BeforeValidator(separated)] = ()
    """Addresses that may reach port 22; none: the port is closed."""
    ssh_public_key: str | None = Field(default=None, pattern=r"^(ssh|ecdsa)-\S+ [A-Za-z0-9+/=]+( \S+)?$")
    """Public key (OpenSSH) that opens the server to them; ``labelspace create`` makes a missing one."""
    deployers: Annotated[tuple[Deployer, ...], BeforeValidator(separated)] = ()
    """Who may use the buckets besides the server; ``labelspace`` adds who runs it; none: no bucket policy."""
    old_versions_days: int = Field(default=7, ge=1, le=365)
    """Days that a deleted or overwritten backup stays in its bucket, and is billed, against an intruder."""
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
    def _directory_is_given(self) -> ScalewaySettings:
        if self.acme_ca_certificate and not self.acme_directory:
            raise ValueError("acme_ca_certificate is for an authority of your own: add its acme_directory")
        if bool(self.acme_eab_key_id) != bool(self.acme_eab_hmac):
            raise ValueError("give both acme_eab_key_id and acme_eab_hmac, or neither")
        for field in ("acme_eab_key_id", "acme_after_lets_encrypt"):
            if getattr(self, field) and not self.acme_directory:
                raise ValueError(f"{field}: which authority? Add its acme_directory")
        return self

    @model_validator(mode="after")
    def _only_its_own(self) -> ScalewaySettings:
        if self.adopt_project and self.project != "own":
            raise ValueError("adopt_project: it is for project: own: set that, or leave adopt_project out")
        only_managed = ("database_type", "subnet_cidr") if self.database == "server" else ()
        for field in only_managed:
            if getattr(self, field):
                raise ValueError(f"{field}: it is for database: managed: set that, or leave {field} out")
        return self

    @model_validator(mode="after")
    def _zone_exists(self) -> ScalewaySettings:
        if self.dns_zone and not f".{self.domain or ''}".endswith(f".{self.dns_zone}"):
            raise ValueError(
                f"domain {self.domain!r} is not in dns_zone {self.dns_zone!r}: give a name in it"
            )
        if self.zone != 1:
            raise ValueError(
                f"zone: {self.zone} is refused, only 1 can be: managed databases are on a private network"
                " in the first zone alone, types are not sold in every zone, and stock, quotas and what a"
                " deleted workspace left are looked for in the first"
            )
        return self


class ScalewaySpec(WorkspaceSpec):
    """The settings of a workspace on Scaleway: what every workspace has, and the block ``scaleway``."""

    target: Literal["scaleway"] = "scaleway"
    """Where it runs: Scaleway."""
    registration: Registration = "closed"
    """``closed``: only the admin makes accounts; ``open``: everybody on the internet can make one."""
    scaleway: ScalewaySettings = ScalewaySettings()
    """What only this target asks."""

    @model_validator(mode="after")
    def _scaleway_can_do_it(self) -> ScalewaySpec:
        remote = next((bucket.name for bucket in self.buckets if bucket.endpoint), None)
        if remote:
            raise ValueError(
                f"bucket {remote!r}: target scaleway cannot use remote buckets in this version:"
                " leave endpoint out"
            )
        if self.backup.bucket:
            raise ValueError(
                "backup.bucket is for target local: scaleway keeps backups in a bucket of its own; leave it"
                " out"
            )
        if self.external_database:
            raise ValueError(
                "external_database: it is for target local in this version: leave it out, and choose"
                " scaleway.database"
            )
        folder = next((bucket for bucket in self.buckets if bucket.path), None)
        if folder:
            raise ValueError(
                f"bucket {folder.name!r}: path is for target local: leave it out, and upload the files"
            )
        if any(split_port(entry)[0] == "gateway" for entry in self.egress.allow):
            raise ValueError(
                "egress.allow: 'gateway' is the S3 gateway of target local: leave it out, Object Storage has"
                " public addresses"
            )
        dotted = next((bucket.name for bucket in self.buckets if "." in bucket.name), None)
        if dotted:
            raise ValueError(
                f"bucket {dotted!r}: a dot breaks the certificate of Scaleway's storage: use hyphens"
            )
        return self

"""A workspace on Scaleway."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from labelspace.spec.base import SpecPart
from labelspace.spec.egress import split_port
from labelspace.spec.fields import cidr, separated
from labelspace.spec.workspace import WorkspaceSpec

Region = Literal["fr-par", "nl-ams", "pl-waw"]
UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


def _admins(value: str) -> str:
    if ipaddress.ip_network(cidr(value)).prefixlen == 0:
        raise ValueError("it would open port 22 to everybody: give the networks that admins come from")
    return cidr(value)


def _private_network(value: str) -> str:
    network = ipaddress.ip_network(cidr(value))
    docker = ipaddress.ip_network("172.16.0.0/12")
    if network.version != 4 or not network.is_private or not 16 <= network.prefixlen <= 28:
        raise ValueError("give a private IPv4 network of /16 to /28, such as 10.37.0.0/24")
    if network.overlaps(docker):
        raise ValueError("172.16.0.0/12 is where Docker puts its networks: choose one such as 10.37.0.0/24")
    return str(network)


def _domain(value: str) -> str:
    if len(value) > 253 or not _DOMAIN.fullmatch(value):
        raise ValueError("give a host name such as labels.example.org")
    return value


class ScalewaySettings(SpecPart):
    """Settings of the target scaleway alone. ``targets/scaleway/prices.py`` lists the known types."""

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
    ssh_cidrs: Annotated[tuple[Annotated[str, AfterValidator(_admins)], ...], BeforeValidator(separated)] = ()
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
    def _directory_is_given(self) -> ScalewaySettings:
        if self.acme_ca_certificate and not self.acme_directory:
            raise ValueError("acme_ca_certificate is for an authority of your own: add its acme_directory")
        return self

    @model_validator(mode="after")
    def _only_its_own(self) -> ScalewaySettings:
        if self.adopt_project and self.project != "own":
            raise ValueError("adopt_project: it is for project: own: set that, or leave adopt_project out")
        if self.database_type and self.database == "server":
            raise ValueError(
                "database_type: it is for database: managed: set that, or leave database_type out"
            )
        return self

    @model_validator(mode="after")
    def _zone_exists(self) -> ScalewaySettings:
        if self.dns_zone and not f".{self.domain or ''}".endswith(f".{self.dns_zone}"):
            raise ValueError(
                f"domain {self.domain!r} is not in dns_zone {self.dns_zone!r}: give a name in it"
            )
        if self.zone != 1:
            raise ValueError(
                "zone: only 1: managed databases are on a private network in the first zone alone"
            )
        return self


class ScalewaySpec(WorkspaceSpec):
    """The settings of a workspace on Scaleway: what every workspace has, and the block ``scaleway``."""

    target: Literal["scaleway"] = "scaleway"
    """Where it runs: Scaleway."""
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

"""What a server must know when it boots, and the paths of the files that it puts into containers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from labelspace.container_spec import Service

SECRET_FILES = "/run/labelspace/files"  # noqa: S105 - a path
PLAIN_FILES = "/etc/labelspace/files"


@dataclass(frozen=True)
class BootConfig:
    """The input of cloud-init's user data, of the compose file and of the systemd units."""

    workspace: str
    services: Mapping[str, Service]
    """Containers by name. Secret files are named only: their contents are in Secret Manager."""
    plain_files: Mapping[str, str]
    """Path under ``PLAIN_FILES`` -> content; not secret."""
    region: str
    access_key: str
    secret_key: str
    secret_id: str
    """The secret in Secret Manager that holds every secret file."""
    database_host: str
    """Host name or address of a managed database; unused when a service named ``database`` runs here."""
    disk: str
    """Device path of the data volume."""
    buckets: tuple[str, ...]
    """Names of the dataset buckets."""
    backup_bucket: str
    endpoint: str
    """S3 endpoint of the dataset buckets and of the backup bucket, as URL."""
    database_certificate: str = ""
    """PEM of a managed database's certificate; only its fingerprint is in user data."""
    acme_account: str = ""
    """Line of Caddyfile that binds to an account at an authority; only its fingerprint is in user data."""
    ssh_public_key: str = ""
    """An additional public key (OpenSSH) that may log in; the keys of the project may in any case."""
    drill_interval_days: int = 7
    """Days between two drills; 0: no drill runs on a schedule."""
    api: str = "https://api.scaleway.com"

    @property
    def has_own_database(self) -> bool:
        """Whether the database runs on the server, as the service ``database``."""
        return "database" in self.services

    @property
    def volume_prefix(self) -> str:
        """Prefix of the names of Docker volumes; that of servers with a managed database has no workspace."""
        return f"labelspace-{self.workspace}" if self.has_own_database else "labelspace"


def fingerprint(certificate: str) -> str:
    """What user data says of the database's certificate: another one replaces the server.

    Containers keep the file that they started with, and a renewed certificate ends the use of the one before
    at once (Scaleway's API, renew-certificate).
    """
    return hashlib.sha256(certificate.strip().encode()).hexdigest()[:16] if certificate else ""


def account_fingerprint(boot: BootConfig) -> str:
    """What user data says of the account at the authority: another one replaces the server.

    A server fetches its secret files when it boots. A setting may hold a key of 48 bits, which a fast hash
    would let readers of user data guess: scrypt does not.
    """
    line, salt = boot.acme_account.encode(), boot.workspace.encode()
    return hashlib.scrypt(line, salt=salt, n=2**14, r=8, p=1, dklen=8).hex()


def file_path(service: Service, index: int) -> str:
    """The path on the server of a container's file, below ``SECRET_FILES`` or ``PLAIN_FILES``.

    Equal plain files share one path, named by a hash of the content, because user data has a size limit.
    """
    file = service.files[index]
    name = file.path.rsplit("/", 1)[-1]
    if isinstance(file.content, str):
        return f"{PLAIN_FILES}/{hashlib.sha256(file.content.encode()).hexdigest()[:8]}-{name}"
    return f"{SECRET_FILES}/{service.name}/{index}-{name}"

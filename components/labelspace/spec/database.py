"""A PostgreSQL database that the user brings."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from labelspace.spec.base import SpecPart
from labelspace.spec.fields import is_address, is_local_name, is_private_host

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def _host(value: str) -> str:
    if not _HOST.fullmatch(value) and not is_address(value):
        raise ValueError("give a host name such as db.example.org, or an IP address")
    if is_local_name(value):
        raise ValueError("containers cannot reach this machine's loopback: give an address of its network")
    return value


def _word(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$-]{0,62}", value):
        raise ValueError("use a PostgreSQL name of letters, digits and _ $ - (at most 63 characters)")
    return value


class ExternalDatabaseSpec(SpecPart):
    """A database of PostgreSQL 15 or later, reached from the workspace's containers.

    A text is read as a connection URL: ``postgresql://USER@HOST:PORT/NAME?sslmode=MODE``.
    """

    host: Annotated[str, AfterValidator(_host)]
    """Host name or IP address, as the containers reach it."""
    port: int = Field(default=5432, ge=1, le=65535)
    """TCP port."""
    name: Annotated[str, AfterValidator(_word)] = "cvat"
    """The database's name; the database is empty, or this workspace's."""
    user: Annotated[str, AfterValidator(_word)] = "cvat"
    """The role that owns the database, or may create tables in its schema ``public``."""
    password: SecretStr
    """The role's password."""
    ca_certificate: str | None = None
    """PEM of the authority that signed the server's certificate; none: a public authority."""
    sslmode: Literal["verify-full", "verify-ca", "disable"] = "verify-full"
    """libpq's word: verify certificate and host name, the certificate alone, or no TLS (private hosts)."""

    @model_validator(mode="before")
    @classmethod
    def _from_url(cls, values: Any) -> Any:
        return cls.split_url(values) if isinstance(values, str) else values

    @staticmethod
    def split_url(text: str) -> dict[str, Any]:
        """The fields that a connection URL gives; raises ``ValueError`` for another text."""
        url = urlsplit(text)
        if url.scheme not in ("postgresql", "postgres") or not url.hostname:
            raise ValueError("give a URL such as postgresql://cvat@db.example.org:5432/cvat")
        found: dict[str, Any] = {"host": url.hostname, "port": url.port, "name": url.path.strip("/")}
        found |= {"user": unquote(url.username or ""), "password": unquote(url.password or "")}
        found |= {key: value[-1] for key, value in parse_qs(url.query).items()}
        return {key: value for key, value in found.items() if value}

    @model_validator(mode="after")
    def _plaintext_only_in_private(self) -> ExternalDatabaseSpec:
        if self.sslmode == "disable" and not is_private_host(self.host):
            raise ValueError(
                f"sslmode: 'disable' sends passwords and annotations in the clear, and {self.host} is not a"
                " private host: use verify-full"
            )
        if self.sslmode == "disable" and self.ca_certificate:
            raise ValueError(
                "ca_certificate: nothing is verified with sslmode disable: leave one of them out"
            )
        return self

    @property
    def url(self) -> str:
        """The connection URL, without the password."""
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.name}?sslmode={self.sslmode}"

    @property
    def location(self) -> str:
        """The database, for people: without the password."""
        return f"{self.name} at {self.host}:{self.port}"

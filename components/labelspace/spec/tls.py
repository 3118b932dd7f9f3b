"""HTTPS with a certificate of the user's own, for a workspace on a local network."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from labelspace.spec.base import SpecPart
from labelspace.spec.fields import HostName, Port


def _absolute(value: str) -> str:
    if not PurePosixPath(value).is_absolute():
        raise ValueError("give an absolute path of this machine, such as /etc/ssl/labels.pem")
    return value


AbsolutePath = Annotated[str, AfterValidator(_absolute)]


class TlsSpec(SpecPart):
    """The files of a certificate, which each update reads again, and where HTTPS is served."""

    certificate: AbsolutePath
    """PEM file of this machine: the server's certificate first, then those of intermediate authorities."""
    key: AbsolutePath
    """PEM file of the certificate's private key, without a passphrase."""
    host: HostName | None = None
    """Name or IP address that people open; none: the first name in the certificate that has no ``*``."""
    port: Port = 8443
    """Host port of HTTPS; ``port`` redirects to it, and serves plain HTTP to this machine alone."""

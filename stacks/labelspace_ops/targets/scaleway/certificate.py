"""The TLS certificate of a workspace's URL, verified as a browser does."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

from labelspace_ops.core.checks import Check, failed
from labelspace_ops.core.library_errors import reason

PATIENCE_SECONDS = 10
RENEWED_AT = 1 / 3
"""Caddy renews a certificate when this part of its lifetime is left."""


def inspect(url: str) -> tuple[Check, str | None]:
    """Check the certificate of ``url``; return the check and its end (ISO 8601), None when invalid."""
    host, port = str(urlsplit(url).hostname), urlsplit(url).port or 443
    try:
        with (
            socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as raw_socket,
            ssl.create_default_context().wrap_socket(raw_socket, server_hostname=host) as connection,
        ):
            certificate = connection.getpeercert() or {}
    except (OSError, ssl.SSLError) as error:
        return failed("certificate", f"{host}: {reason(error)}"), None
    begin, end = (ssl.cert_time_to_seconds(str(certificate[key])) for key in ("notBefore", "notAfter"))
    return to_check(begin, end, datetime.now(UTC).timestamp())


def to_check(begin: float, end: float, now: float) -> tuple[Check, str]:
    """Fail when half of the time for the renewal is over: then Caddy does not renew it."""
    until, days = datetime.fromtimestamp(end, UTC), (end - now) / 86400
    ok = end - now > (end - begin) * RENEWED_AT / 2
    detail = f"valid until {until:%Y-%m-%d}"
    if not ok:
        detail = (
            f"ends in {days:.0f} days ({until:%Y-%m-%d}) and was not renewed: are ports 80 and 443 open to"
            " the internet, and does the name resolve to the workspace's address?"
        )
    return Check(name="certificate", ok=ok, detail=detail), until.strftime("%Y-%m-%dT%H:%M:%SZ")

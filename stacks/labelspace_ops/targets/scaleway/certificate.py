"""The certificate of a workspace's URL, as a browser would judge it."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

from labelspace_ops.core.checks import Check

PATIENCE_SECONDS = 10
RENEWED_AT = 1 / 3
"""The part of its life that is left when Caddy renews it."""


def inspect(url: str) -> tuple[Check, str | None]:
    """Whether it is valid and will be renewed in time, and until when it is."""
    host, port = str(urlsplit(url).hostname), urlsplit(url).port or 443
    try:
        with (
            socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as line,
            ssl.create_default_context().wrap_socket(line, server_hostname=host) as spoken,
        ):
            shown = spoken.getpeercert() or {}
    except (OSError, ssl.SSLError) as error:
        return {"name": "certificate", "ok": False, "detail": f"{host}: {error}"}, None
    begin, end = (ssl.cert_time_to_seconds(str(shown[key])) for key in ("notBefore", "notAfter"))
    return to_check(begin, end, datetime.now(UTC).timestamp())


def to_check(begin: float, end: float, now: float) -> tuple[Check, str]:
    """Half of the time that is left for a renewal is over: nobody renews it."""
    until, days = datetime.fromtimestamp(end, UTC), (end - now) / 86400
    ok = end - now > (end - begin) * RENEWED_AT / 2
    said = f"valid until {until:%Y-%m-%d}"
    if not ok:
        said = (
            f"ends in {days:.0f} days ({until:%Y-%m-%d}) and was not renewed: are ports 80 and 443 open to"
            " the internet, and does the name lead to the workspace's address?"
        )
    return {"name": "certificate", "ok": ok, "detail": said}, until.strftime("%Y-%m-%dT%H:%M:%SZ")

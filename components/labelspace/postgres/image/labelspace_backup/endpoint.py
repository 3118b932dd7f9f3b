"""Checks at once whether the backup bucket's endpoint answers: pgBackRest and restic retry for minutes."""

from __future__ import annotations

import socket
import ssl

from .programs import FailedError
from .settings import Settings

TIMEOUT_SECONDS = 10


def check(settings: Settings) -> None:
    """Make a TLS handshake with the endpoint; raises ``FailedError``. A folder has no endpoint."""
    if not settings.endpoint:
        return
    host, _, port = settings.endpoint.rpartition(":")
    try:
        context = ssl.create_default_context(cafile=settings.authority or None)
        with (
            socket.create_connection((host, int(port)), TIMEOUT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return
    except OSError as error:  # including a certificate that is not trusted
        raise FailedError(
            f"the place of the backups, {settings.endpoint}, is out of reach: {error}"
        ) from None

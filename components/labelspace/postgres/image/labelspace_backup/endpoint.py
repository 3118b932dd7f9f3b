"""Whether the bucket's endpoint answers, said at once: pgBackRest and restic try for minutes."""

from __future__ import annotations

import socket
import ssl

from .programs import FailedError
from .settings import Settings

PATIENCE_SECONDS = 10


def must_answer(settings: Settings) -> None:
    """Shake hands with the endpoint over TLS; raises ``FailedError``. A folder always answers."""
    if not settings.endpoint:
        return
    host, _, port = settings.endpoint.rpartition(":")
    try:
        context = ssl.create_default_context(cafile=settings.authority or None)
        with (
            socket.create_connection((host, int(port)), PATIENCE_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return
    except OSError as error:  # a certificate that is not trusted is one, too
        raise FailedError(
            f"the place of the backups, {settings.endpoint}, is out of reach: {error}"
        ) from None

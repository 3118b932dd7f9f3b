"""The SMTP server of a workspace: a wrong setting is reported before the update, by trying a login."""

from __future__ import annotations

import smtplib
import ssl

from labelspace.spec import EmailSpec
from labelspace_ops.core.reporting import message

TIMEOUT_SECONDS = 10


def warn(email: EmailSpec | None) -> None:
    """Report why mails cannot be sent; the update goes on, as the server may only be down for a while."""
    if email is None:
        return
    try:
        with _connect(email) as server:
            if email.user and email.password:
                server.login(email.user, email.password.get_secret_value())
    except (OSError, smtplib.SMTPException) as error:
        message(
            f"  ~ email: {email.host}:{email.port} cannot be used from this machine ({_reason(error)}): until"
            " that is mended, CVAT sends no mails: check host, port, security, user and password"
        )


def _connect(email: EmailSpec) -> smtplib.SMTP:
    if email.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(email.host, email.port, timeout=TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(email.host, email.port, timeout=TIMEOUT_SECONDS)
    if email.security == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
    return str(error) or type(error).__name__

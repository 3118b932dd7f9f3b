"""Sends a notice by e-mail, through the SMTP server of the workspace. Standard library only.

No message of an error names the password.
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

Mail = dict[str, Any]
"""``host``, ``port``, ``security``, ``user``, ``password``, ``sender`` and ``receiver``."""
TIMEOUT_SECONDS = 10


def send(mail: Mail, subject: str, text: str) -> str:
    """Send a mail; returns why it was not taken, empty when it was."""
    message = EmailMessage()
    message["From"], message["To"] = mail["sender"], mail["receiver"]
    message["Subject"], message["Date"] = subject, formatdate()
    message.set_content(text)
    try:
        with _connect(mail) as server:
            if mail["user"]:
                server.login(mail["user"], mail["password"])
            server.send_message(message)
    except smtplib.SMTPException as error:
        return f"the SMTP server refuses it: {error}"
    except OSError as error:
        return f"the SMTP server cannot be reached: {error}"
    return ""


def _connect(mail: Mail) -> smtplib.SMTP:
    host, port = mail["host"], mail["port"]
    if mail["security"] == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    if mail["security"] == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server

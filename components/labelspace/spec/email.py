"""The SMTP server through which CVAT sends its mails."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, model_validator

from labelspace.spec.base import SpecPart
from labelspace.spec.fields import Email, HostName, is_local_name, is_private_host
from labelspace.spec.late import Late

EmailSecurity = Literal["starttls", "tls", "none"]


def _not_loopback(host: str) -> str:
    if is_local_name(host):
        raise ValueError("containers cannot reach this machine's loopback: give an address of its network")
    return host


class EmailSpec(SpecPart):
    """How CVAT sends mails: resets of passwords, invitations, confirmations of addresses."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_alias=True, validate_by_name=True)

    host: Annotated[HostName, AfterValidator(_not_loopback)]
    """Host name or IP address of the SMTP server, as the containers reach it."""
    port: int = Field(default=587, ge=1, le=65535)
    """TCP port; 587 is usual for ``starttls``, 465 for ``tls``."""
    user: str = ""
    """User name at the SMTP server; none: it takes mails without a login."""
    password: Annotated[SecretStr | None, Late("stand-in")] = None
    """Password at the SMTP server."""
    from_: Email = Field(alias="from")
    """Address from which the mails come; ``from_`` in a Python program."""
    security: EmailSecurity = "starttls"
    """Encryption: begun after connecting (``starttls``), from the start (``tls``), or ``none``."""
    confirm_addresses: bool = True
    """Whether accounts sign in only after they confirmed their e-mail address; the admin need not."""

    @model_validator(mode="after")
    def _login_is_complete(self) -> EmailSpec:
        if bool(self.user) != bool(self.password):
            missing = "password" if self.user else "user"
            raise ValueError(f"{missing}: missing: give user and password, or neither")
        return self

    @model_validator(mode="after")
    def _password_is_encrypted(self) -> EmailSpec:
        if self.security == "none" and self.password and not is_private_host(self.host):
            raise ValueError(
                f"security: 'none' sends the password in the clear, and {self.host} is not a private host:"
                " use starttls or tls"
            )
        return self

"""Who is reported of a workspace's faults."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from labelspace.spec.base import SpecPart
from labelspace.spec.fields import Email
from labelspace.spec.late import Late


def _webhook(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("give the URL of an incoming webhook, https://...")
    return value


Webhook = Annotated[SecretStr, AfterValidator(_webhook)]
NoticeFormat = Literal["auto", "slack", "mattermost", "teams", "json"]


class NotifySpec(SpecPart):
    """Receivers of a notice when a fault begins and when it ends: a webhook, an address, or both."""

    webhook: Annotated[Webhook | None, Late("https://stand-in.invalid")] = None
    """URL of the incoming webhook: a secret, because everybody who knows it can post there."""
    email: Email | None = None
    """Address that gets a mail, through the SMTP server of the setting ``email``."""
    format: NoticeFormat = "auto"
    """Shape of the messages; ``auto``: by the webhook's URL, plain JSON where it is of none of the others."""
    down_minutes: int = Field(default=5, ge=1, le=1440)
    """Minutes that a part or a bucket must be out of reach before it is reported."""

    @model_validator(mode="after")
    def _has_a_receiver(self) -> NotifySpec:
        if not (self.webhook or self.email):
            raise ValueError("webhook: missing: give the URL of a webhook, or an address in email")
        return self

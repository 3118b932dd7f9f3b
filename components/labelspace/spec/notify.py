"""Who is reported of a workspace's faults."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from labelspace.spec.base import SpecPart
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


NoticeFormat = Literal["auto", "slack", "mattermost", "teams", "json"]


class NotifySpec(SpecPart):
    """A webhook that is called when a fault begins and when it ends, from inside the workspace."""

    webhook: Annotated[SecretStr, AfterValidator(_webhook), Late("https://stand-in.invalid")]
    """URL of the incoming webhook: a secret, because everybody who knows it can post there."""
    format: NoticeFormat = "auto"
    """Shape of the messages; ``auto``: by the webhook's URL, plain JSON where it is of none of the others."""
    down_minutes: int = Field(default=5, ge=1, le=1440)
    """Minutes that a part or a bucket must be out of reach before anybody is reported."""

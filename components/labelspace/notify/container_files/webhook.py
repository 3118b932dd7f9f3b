"""Calls a webhook: the body has the shape that Slack, Mattermost or Teams takes, or is plain JSON.

Sources: Slack, "Sending messages using incoming webhooks" and "Formatting text"; Mattermost, "Incoming
webhooks"; Microsoft, "Create incoming webhooks with Workflows for Microsoft Teams". Standard library only.
The URL is a secret: no message names it.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from faults import Notice

Body = dict[str, Any]
TIMEOUT_SECONDS = 10
TEAMS = ("webhook.office.com", "logic.azure.com", "powerplatform.com", "powerautomate.com")
MATTERMOST = re.compile(r"/hooks/[a-z0-9]{26}/?")


def detect(url: str) -> str:
    """The format that a webhook takes, by its URL: ``slack``, ``mattermost``, ``teams`` or ``json``."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host == "hooks.slack.com":
        return "slack"
    if any(host == name or host.endswith(f".{name}") for name in TEAMS):
        return "teams"
    return "mattermost" if MATTERMOST.fullmatch(parts.path) else "json"


def body(shape: str, workspace: str, url: str, notice: Notice) -> Body:
    """The body for a notice about ``workspace``, whose address is ``url``."""
    text = sentence(workspace, url, notice)
    match shape:
        case "slack":
            return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
        case "mattermost":
            return {"text": text}
        case "teams":
            return _card(text)
    return {
        "workspace": workspace,
        "event": notice.event,
        "fault": notice.key,
        "text": notice.text,
        "since": _iso(notice.since),
        "at": _iso(notice.at),
        "url": url,
    }


def sentence(workspace: str, url: str, notice: Notice) -> str:
    """A notice for people."""
    if notice.event == "test":
        return f"labelspace {workspace}: {notice.text} ({url})"
    if notice.event == "begins":
        return f"labelspace {workspace}: {notice.text} (since {_iso(notice.since)}, {url})"
    minutes = (notice.at - notice.since) / 60
    return f"labelspace {workspace}: over after {minutes:.0f} minutes: {notice.text} ({url})"


def _card(text: str) -> Body:
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "TextBlock", "text": text, "wrap": True}],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": content}]}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def send(url: str, content: Body) -> str:
    """Post a body; returns why it was not taken, empty when it was."""
    request = urllib.request.Request(
        url, json.dumps(content).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        return f"it answers {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return f"it cannot be reached: {error.reason}"
    except (OSError, ValueError) as error:
        return f"it cannot be reached: {type(error).__name__}"

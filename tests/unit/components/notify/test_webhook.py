"""The bodies that webhooks take, and what becomes of a webhook that takes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

URL = "http://street.localhost:8080"


@pytest.fixture
def webhook(modules: Any) -> Any:
    return modules("webhook")


@pytest.fixture
def notice(modules: Any) -> Any:
    return modules("faults").Notice


@pytest.mark.parametrize(
    ("url", "shape"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", "slack"),
        ("https://chat.example.org/hooks/4b1fx7yyxtgk8q6k5zqtfr3s8e", "mattermost"),
        ("https://prod-01.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke", "teams"),
        ("https://example.webhook.office.com/webhookb2/x", "teams"),
        ("https://alerts.example.org/hooks/labels", "json"),
        ("https://hooks.slack.com.example.org/services/x", "json"),
    ],
)
def test_the_format_follows_from_the_url(webhook: Any, url: str, shape: str) -> None:
    assert webhook.detect(url) == shape


def test_bodies(webhook: Any, notice: Any) -> None:
    began = notice("begins", "disk files", "the disk is > 85 % full", 1795521600, 1795521600)
    ended = notice("ends", "disk files", "the disk is > 85 % full", 1795521600, 1795522320)
    sentence = f"labelspace street: the disk is > 85 % full (since 2026-11-24T12:00:00Z, {URL})"
    over = f"labelspace street: over after 12 minutes: the disk is > 85 % full ({URL})"
    assert webhook.body("mattermost", "street", URL, began) == {"text": sentence}
    assert webhook.body("mattermost", "street", URL, ended) == {"text": over}
    assert webhook.body("slack", "street", URL, ended) == {"text": over.replace(">", "&gt;")}
    card = webhook.body("teams", "street", URL, began)
    assert card["type"] == "message"
    assert card["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert card["attachments"][0]["content"]["body"] == [
        {"type": "TextBlock", "text": sentence, "wrap": True}
    ]
    assert webhook.body("json", "street", URL, ended) == {
        "workspace": "street",
        "event": "ends",
        "fault": "disk files",
        "text": "the disk is > 85 % full",
        "since": "2026-11-24T12:00:00Z",
        "at": "2026-11-24T12:12:00Z",
        "url": URL,
    }


@pytest.fixture
def refusing() -> Iterator[str]:
    """A webhook that answers 403."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/s3cret"
        server.shutdown()


def test_a_refusal_is_returned_without_the_url(webhook: Any, refusing: str) -> None:
    assert webhook.send(refusing, {}) == "it answers 403 Forbidden"
    gone = webhook.send("http://127.0.0.1:1/s3cret", {})
    assert gone.startswith("it cannot be reached")
    assert "s3cret" not in gone

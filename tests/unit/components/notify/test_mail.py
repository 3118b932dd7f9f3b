"""Notices by e-mail, through a real SMTP server that asks for a login."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from tests.unit.components.test_options import LOCAL

from labelspace import SpecError
from labelspace.spec import parse_spec
from labelspace_ops.cli import options
from labelspace_ops.targets.local.preflight import free_port

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")  # the server is on loopback
SERVER = {"host": "mail.example.org", "from": "labels@example.org"}
RECEIVER = "oncall@example.org"


class _Mailbox:
    """Keeps what it receives; the method's name is aiosmtpd's."""

    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append((envelope.original_content or b"").decode())
        return "250 OK"


def _accept(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    return AuthResult(success=given.password == b"s3cret")


@pytest.fixture
def smtp() -> Iterator[Controller]:
    port = free_port("127.0.0.1", 34000, set())
    server = Controller(
        _Mailbox(), hostname="127.0.0.1", port=port, authenticator=_accept,
        auth_required=True, auth_require_tls=False,
    )  # fmt: skip
    server.start()
    yield server
    server.stop()


def _settings(port: int, password: str = "s3cret") -> dict[str, Any]:  # noqa: S107 - of the test's server
    mail = {
        "host": "127.0.0.1", "port": port, "security": "none", "user": "labels", "password": password,
        "sender": SERVER["from"], "receiver": RECEIVER,
    }  # fmt: skip
    return {"workspace": "pets", "url": "http://pets.localhost:8080", "webhook": "", "email": mail}


def _notice(modules: Any) -> Any:
    return modules("faults").Notice("begins", "drill", "the drill failed", 0.0, 0.0)


def test_a_notice_is_a_mail_to_the_address(modules: Any, smtp: Controller) -> None:
    notifier = modules("notifier")
    settings = _settings(smtp.port)
    assert notifier.channels(settings) == ["email"]
    assert notifier.deliver(settings, "email", _notice(modules)) == ""
    (mail,) = smtp.handler.mails
    assert f"To: {RECEIVER}" in mail
    assert "Subject: labelspace pets: drill: begins" in mail
    assert "labelspace pets: the drill failed (since 1970-01-01T00:00:00Z" in mail


def test_a_refused_login_is_said_without_the_password(modules: Any, smtp: Controller) -> None:
    reason = modules("notifier").deliver(_settings(smtp.port, "wr0ng"), "email", _notice(modules))
    assert reason.startswith("the SMTP server refuses it: ")
    assert "wr0ng" not in reason


def test_a_server_that_is_away_is_said(modules: Any) -> None:
    reason = modules("notifier").deliver(_settings(1), "email", _notice(modules))
    assert reason.startswith("the SMTP server cannot be reached: ")


def test_a_channel_that_is_away_holds_back_no_other(modules: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    notifier, sent = modules("notifier"), []

    def deliver(_: Any, channel: str, notice: Any) -> str:
        sent.append((channel, notice.event))
        return "it cannot be reached" if channel == "webhook" else ""

    monkeypatch.setattr(notifier, "deliver", deliver)
    watches = {channel: modules("faults").Tracker() for channel in notifier.CHANNELS}
    fault = modules("faults").Fault("drill", "the drill failed")
    for _ in range(2):
        notifier.step({}, watches, lambda *_: {"backups": [fault]})
    assert sent == [("webhook", "begins"), ("email", "begins"), ("webhook", "begins")]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"notify": {}}, "webhook: missing: give the URL of a webhook, or an address in email"),
        ({"notify": {"email": RECEIVER}}, "mails need an SMTP server"),
        ({"notify": {"email": "nobody"}, "email": SERVER}, "notify.email: 'nobody'"),
    ],
)
def test_a_receiver_that_nothing_reaches_is_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError) as raised:
        parse_spec({**LOCAL, **settings})
    assert problem in str(raised.value)


def test_a_receiver_is_removed_and_the_other_stays() -> None:
    both = {"name": "pets", "notify": {"webhook": "https://example.org/x", "email": RECEIVER}}
    left = options.from_assignments(["notify.webhook="], both)
    assert left["notify"] == {"webhook": None, "email": RECEIVER}
    assert options.from_assignments(["notify.email="], left)["notify"] is None

"""CVAT's mails, through a real SMTP server that asks for a login."""

from __future__ import annotations

import email
import json
import re
import secrets
from collections.abc import Iterator
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, urlsplit

import docker
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from tests.e2e.lab import ADMIN, PASSWORD, Lab, Visitor, admin_of, containers, until

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")  # the server is private
NAME, SENDER = "with-mail", "labels@example.org"
USER, SMTP_PASSWORD = "labels", "Another-phrase-of-2026"


class Mailbox:
    """Keeps what it receives; the methods' names are aiosmtpd's."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert session.authenticated
        self.mails.append(email.message_from_bytes(envelope.original_content or b""))
        return "250 OK"

    def wait_for(self, address: str, subject: str) -> str:
        """The text of a mail to the address."""
        found: list[Message] = []

        def arrived() -> bool:
            found[:] = [one for one in self.mails if one["To"] == address and subject in one["Subject"]]
            return bool(found)

        until(arrived, f"a mail to {address}")
        assert found[-1]["From"] == SENDER
        return str(found[-1].get_payload(decode=True), "utf-8")  # type: ignore[arg-type]


def _accept(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    assert isinstance(given, LoginPassword)
    return AuthResult(success=(given.login, given.password) == (USER.encode(), SMTP_PASSWORD.encode()))


@pytest.fixture(scope="module")
def smtp() -> Iterator[Controller]:
    """A server on the address of the engine's default bridge, which containers reach."""
    bridge = docker.from_env().networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    server = Controller(
        Mailbox(), hostname=bridge, port=secrets.randbelow(1000) + 34000, authenticator=_accept,
        auth_required=True, auth_require_tls=False,
    )  # fmt: skip
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mailing(lab: Lab, smtp: Controller, monkeypatch_module: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch_module.setenv("SMTP_PASSWORD", SMTP_PASSWORD)
    try:
        lab.create(NAME, "--bucket", NAME)  # the admin exists before there are mails
        settings = (f"host={smtp.hostname}", f"port={smtp.port}", f"user={USER}", f"from={SENDER}")
        words = [f"email.{setting}" for setting in (*settings, "security=none")]
        done = lab.run("set", NAME, *words, "--yes")
        assert done.returncode == 0, done.stderr
        assert "cannot be used" not in done.stderr
        yield lab.json("status", NAME)
    finally:
        lab.run("delete", NAME, "--purge", stdin=f"{NAME}\n")


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture
def box(smtp: Controller) -> Mailbox:
    assert isinstance(smtp.handler, Mailbox)
    return smtp.handler


def _link(text: str) -> str:
    return str(re.findall(r"http\S+", text)[0])


def _path(text: str) -> str:
    """The link of a mail without its host, which only the machine's browsers resolve."""
    parts = urlsplit(_link(text))
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def test_a_new_account_confirms_its_address_before_it_signs_in(mailing: Any, box: Mailbox) -> None:
    person, address = Visitor(mailing["api_url"]), "annotator@example.org"
    signed_up = person.post(
        "/api/auth/register",
        {"username": "annotator", "email": address, "password1": PASSWORD, "password2": PASSWORD},
    )
    assert signed_up.json()["email_verification_required"] is True
    text = box.wait_for(address, "Confirm")
    assert person.log_in("annotator", PASSWORD).status_code == 400
    assert person.get(_path(text)).headers["Location"].endswith("/auth/email-confirmation")
    assert person.log_in("annotator", PASSWORD).status_code == 200


def test_a_forgotten_password_is_reset_by_mail(mailing: Any, box: Mailbox) -> None:
    person = Visitor(mailing["api_url"])
    assert person.post("/api/auth/password/reset", {"email": "annotator@example.org"}).status_code == 200
    link = _link(box.wait_for("annotator@example.org", "Reset"))
    assert link.startswith(mailing["url"])
    query = parse_qs(urlsplit(link).query)
    body = {"uid": query["uid"][0], "token": query["token"][0]}
    new = "One-more-phrase-of-2026"
    done = person.post(
        "/api/auth/password/reset/confirm", {**body, "new_password1": new, "new_password2": new}
    )
    assert done.status_code == 200, done.text
    assert person.log_in("annotator", new).status_code == 200


def test_an_invitation_leads_to_the_workspace(mailing: Any, box: Mailbox) -> None:
    admin = admin_of(mailing)
    assert admin.post("/api/organizations", {"slug": "street", "name": "Street"}).status_code == 201
    admin.http.headers["X-Organization"] = "street"
    invited = admin.post("/api/invitations", {"role": "worker", "email": "invited@example.org"})
    assert invited.status_code == 201, invited.text
    assert _link(box.wait_for("invited@example.org", "Invitation")).startswith(mailing["url"])


def test_the_admin_of_before_needs_no_confirmation(mailing: Any, box: Mailbox) -> None:
    assert Visitor(mailing["api_url"]).log_in(ADMIN, PASSWORD).status_code == 200
    assert [mail["To"] for mail in box.mails if mail["To"] == "head@example.org"] == []


def test_the_password_is_shown_nowhere(lab: Lab, mailing: Any) -> None:
    containers = docker.from_env().containers.list(filters={"name": f"labelspace-{NAME}-"})
    seen = json.dumps([one.attrs for one in containers]) + "".join(one.logs().decode() for one in containers)
    printed = lab.run("preview", NAME).stdout + lab.run("status", NAME, "--json").stdout
    exported = lab.pulumi("stack", "export", "--stack", NAME) + lab.pulumi("config", "--stack", NAME)
    assert not any(SMTP_PASSWORD in text for text in (seen, printed, exported))
    assert not any(SMTP_PASSWORD in one.read_text() for one in lab.state.rglob("*.json"))


def test_a_mail_reports_a_fault_when_it_begins_and_when_it_ends(
    lab: Lab, mailing: Any, smtp: Controller
) -> None:
    done = lab.run("set", NAME, "notify.email=oncall@example.org", "notify.down_minutes=1", "--yes")
    assert done.returncode == 0, done.stderr
    lab.until_ready(NAME)
    assert lab.json("notify", "test", NAME) == {"name": NAME, "sent": True}
    assert "this is a test" in smtp.handler.wait_for("oncall@example.org", "test")
    ui = containers(NAME)["ui"]
    ui.stop()
    assert "the part ui does not answer" in smtp.handler.wait_for("oncall@example.org", "part ui: begins")
    ui.start()
    assert "over after" in smtp.handler.wait_for("oncall@example.org", "part ui: ends")
    assert lab.run("set", NAME, "notify.email=", "--yes").returncode == 0
    assert "notifier" not in containers(NAME)


def test_a_server_that_does_not_answer_is_reported_and_the_setting_removed(lab: Lab, mailing: Any) -> None:
    worker = _identity("worker")
    done = lab.run("set", NAME, "email.port=9", "--yes")
    assert done.returncode == 0, done.stderr
    assert "~ email: " in done.stderr
    assert ":9 cannot be used from this machine (" in done.stderr
    done = lab.run("set", NAME, "email=", "--yes")
    assert done.returncode == 0, done.stderr
    assert _identity("worker") == worker


def _identity(part: str) -> str:
    return str(docker.from_env().containers.get(f"labelspace-{NAME}-{part}").id)

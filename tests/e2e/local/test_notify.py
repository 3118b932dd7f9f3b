"""A webhook hears of a fault when it begins and when it ends, while nobody runs a command."""

from __future__ import annotations

import ipaddress
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import docker
import pytest
from tests.e2e.lab import ADMIN, PASSWORD, Lab, containers, ports, until
from tests.paths import ROOT


@dataclass
class Listener:
    """A webhook of this machine, as containers reach it, and the bodies that it was sent."""

    url: str = ""
    bodies: list[dict[str, str]] = field(default_factory=list)

    def of(self, fault: str) -> list[dict[str, str]]:
        return [one for one in self.bodies if one["fault"] == fault]


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    heard = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    subnet = docker.from_env().networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"]
    address = str(ipaddress.ip_network(subnet)[1])
    with HTTPServer((address, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        heard.url = f"http://{address}:{server.server_port}/{secrets.token_hex(12)}"
        yield heard
        server.shutdown()


@pytest.fixture(scope="module")
def watched(lab: Lab, listener: Listener) -> Iterator[Any]:
    name = f"n{secrets.token_hex(3)}"
    settings = ("--set", "notify.webhook=-", "--set", "notify.down_minutes=1")
    admin = ("--admin-username", ADMIN, "--password-stdin")
    try:
        yield lab.json(
            "create", name, "--yes", *ports(), *admin, "--bucket", "street", *settings,
            stdin=f"{PASSWORD}\n{listener.url}\n",
        )  # fmt: skip
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")


def test_a_test_message_arrives_from_inside_the_workspace(lab: Lab, watched: Any, listener: Listener) -> None:
    name = watched["name"]
    lab.until_ready(name)
    assert lab.json("notify", "test", name) == {"name": name, "sent": True}
    assert [(one["workspace"], one["event"]) for one in listener.of("test")] == [(name, "test")]


def test_a_fault_is_reported_when_it_begins_and_when_it_ends(
    lab: Lab, watched: Any, listener: Listener
) -> None:
    ui = containers(watched["name"])["ui"]
    ui.stop()
    until(lambda: len(listener.of("part ui")) == 1, "the webhook hears that it begins")
    ui.start()
    until(lambda: len(listener.of("part ui")) == 2, "the webhook hears that it ends")
    assert [one["event"] for one in listener.of("part ui")] == ["begins", "ends"]
    others = {one["fault"] for one in listener.bodies} - {"part ui", "test"}
    assert not [fault for fault in others if not fault.startswith("disk ")]  # this machine's may be full
    assert lab.until_ready(watched["name"])["status"] == "ready"


def test_the_url_of_the_webhook_shows_nowhere(lab: Lab, watched: Any, listener: Listener) -> None:
    name, secret = watched["name"], listener.url.rpartition("/")[2]
    shown = [lab.run("status", name).stdout, (ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text()]
    shown += [lab.pulumi("preview", "--stack", name, "--diff", "--show-sames")]
    shown += [path.read_text() for path in lab.state.rglob("*.json*")]
    for one in containers(name).values():
        shown += [json.dumps(one.attrs), one.logs().decode(errors="replace")]
    assert len(shown) > 14
    assert not [text[:200] for text in shown if secret in text]
    refused = lab.run("set", name, f"notify.webhook={listener.url}", "--yes")
    assert (refused.returncode, secret in refused.stderr) == (2, False), refused.stderr


def test_the_webhook_can_be_changed_and_removed(lab: Lab, watched: Any, listener: Listener) -> None:
    name = watched["name"]
    lab.json("set", name, "notify.webhook=-", "--yes", stdin=f"{listener.url}-other\n")
    assert lab.json("notify", "test", name)["sent"] is True
    lab.json("set", name, "notify.webhook=", "--yes")
    assert "notifier" not in containers(name)
    done = lab.run("notify", "test", name)
    assert (done.returncode, "has no receiver" in done.stderr) == (2, True), done.stderr

"""What the notifier takes for a fault, by the state that the backup program answers."""

from __future__ import annotations

import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def notifier(modules: Any) -> Any:
    return modules("notifier")


def _state(*, hours_ago: float = 1, **changed: Any) -> Any:
    when = datetime.fromtimestamp(time.time() - hours_ago * 3600, UTC).isoformat()
    backup = {"id": "B", "when": when, "complete": True, "shrunk": ""}
    return {
        "backups": [backup],
        "problems": [],
        "archive_fails": False,
        "drill": None,
        "schedule": {"interval_hours": 6, "drill_interval_days": 7},
        "disks": [],
        **changed,
    }


DRILL = {"backup": "B", "ok": False, "reason": "a row is missing", "when": "2026-11-24T12:00:00+00:00"}


@pytest.mark.parametrize(
    ("state", "keys"),
    [
        (_state(), []),
        (_state(hours_ago=13), ["backups"]),
        (_state(backups=[]), ["backups"]),
        (_state(problems=["the last scheduled backup failed: disk full"]), ["backups"]),
        (_state(archive_fails=True), ["archive"]),
        (_state(lost_from="2026-11-24T12:00:00+00:00"), ["archive"]),
        (_state(drill=DRILL), ["drill"]),
        (_state(hours_ago=24 * 15), ["backups", "drill"]),
    ],
)
def test_faults_of_the_backups(notifier: Any, state: Any, keys: list[str]) -> None:
    assert [fault.key for fault in notifier._backups(state)] == keys


@pytest.mark.parametrize(
    ("used", "before", "is_full"),
    [(85.0, False, False), (85.1, False, True), (84.0, True, True), (82, True, False)],
)
def test_a_disk_is_full_above_85_percent_until_it_is_below_83(
    notifier: Any, used: float, before: bool, is_full: bool
) -> None:
    state = _state(disks=[{"name": "files", "used_percent": used}])
    found = notifier._disks(state, frozenset({"disk files"} if before else ()))
    assert [fault.key for fault in found] == (["disk files"] if is_full else [])


def test_parts_and_buckets_that_do_not_answer_are_faults_with_patience(
    notifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "_queues", lambda _: None)
    gone = "127.0.0.1:1"
    settings = {
        "down_minutes": 5,
        "parts": {"server": f"http://{gone}/api", "redis": f"tcp://{gone}"},
        "buckets": {"far": f"https://{gone}"},
        "certificates": {"labels.example.org": gone},
        "backups": f"http://{gone}/",
    }
    found = notifier.measure(settings)
    keys = {fault.key for fault in found["parts"]}
    assert keys == {"part server", "part redis", "part backups"}
    assert [fault.key for fault in found["buckets"]] == ["bucket far"]
    assert {fault.patience for fault in [*found["parts"], *found["buckets"]]} == {300}
    assert (found["backups"], found["disks"], found["certificates"]) == (None, None, None)


@pytest.fixture
def served(tmp_path: Path) -> Callable[[int], str]:
    """Serve a certificate of nobody that ends in some days; returns its address."""

    def serve(days: int) -> str:
        chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
        make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=labels.example.org")
        subprocess.run(
            [*make, "-days", str(days), "-out", chain, "-keyout", key], check=True, capture_output=True
        )
        server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"127.0.0.1:{server.server_port}"

    return serve


@pytest.mark.parametrize(("days", "reports"), [(10, 1), (30, 0), (20000, 0)])
def test_a_certificate_near_its_end_is_a_fault(
    notifier: Any, served: Callable[[int], str], days: int, reports: int
) -> None:
    settings = {"certificates": {"labels.example.org": served(days)}}
    found = notifier._certificates(settings)
    assert [fault.text for fault in found] == [
        "the certificate of labels.example.org ends in 10 days"
    ] * reports


def test_a_webhook_that_is_away_delays_the_notice_and_loses_none(
    notifier: Any, modules: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, sent = iter(["it cannot be reached", "", ""]), []

    def deliver(_: Any, __: str, notice: Any) -> str:
        sent.append(notice.event)
        return next(answers)

    monkeypatch.setattr(notifier, "deliver", deliver)
    watch = modules("faults").Tracker()
    fault = modules("faults").Fault("drill", "the drill failed")
    for found in ([fault], [fault], [fault], []):
        notifier.step({}, {"webhook": watch}, lambda *_, found=found: {"backups": found})
    assert sent == ["begins", "begins", "ends"]

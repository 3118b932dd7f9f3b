"""An update shows what the server does: the program that tells it there, and the wait that asks it."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType, SimpleNamespace

import pulumi
import pytest

from labelspace.spec import ScalewaySpec, validate
from labelspace.targets.scaleway import cloud_init, server
from labelspace.targets.scaleway.boot_config import BootConfig

TRUST = ssl.create_default_context()
LONG_ENOUGH = 60.0
Serve = Callable[[type[BaseHTTPRequestHandler]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server for a handler and says its address."""
    running = []

    def start(handler: type[BaseHTTPRequestHandler]) -> str:
        one = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=one.serve_forever, daemon=True).start()
        running.append(one)
        return f"127.0.0.1:{one.server_port}"

    yield start
    for one in running:
        one.shutdown()
        one.server_close()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Everything that the update shows."""
    lines: list[tuple[str, str]] = []
    for level in ("info", "warn"):
        monkeypatch.setattr(pulumi.log, level, lambda text, level=level: lines.append((level, text)))
    monkeypatch.setattr(server, "PAUSE_SECONDS", 0.0)
    return lines


def booting(*steps: str, then: dict[str, str] | None = None) -> type[BaseHTTPRequestHandler]:
    """One step for each look at CVAT, which is not there yet; afterwards it answers ``then``."""
    left = list(steps)

    class Booting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == cloud_init.STEP_PATH:
                self._answer(200 if left else 308, "text/plain", left.pop(0) if left else "")
            elif left or then is None:
                self._answer(502, "text/plain", "")
            else:
                self._answer(200, "application/json", json.dumps(then))

        def _answer(self, status: int, kind: str, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None: ...

    return Booting


def test_each_new_step_is_reported_once_until_all_is_well(serve: Serve, said: list[tuple[str, str]]) -> None:
    docker, data = "installs Docker", "waits for the data volume"
    address = serve(booting(docker, docker, data, docker, then={"DatabaseBackend": "working"}))
    assert server._waited(f"http://{address}", address, TRUST, LONG_ENOUGH) == ""
    assert said == [
        ("info", f"waits for http://{address}: the server {docker}"),
        ("info", f"waits for http://{address}: the server {data}"),
    ]


def test_a_failure_is_reported_and_not_forgotten(serve: Serve, said: list[tuple[str, str]]) -> None:
    address = serve(booting("failed: no images", "waits for the database"))
    last = server._waited(f"http://{address}", address, TRUST, patience=0)
    assert last == "the server says: failed: no images"
    assert said[0][0] == "warn"


def test_a_failure_of_before_is_said_at_the_end(
    serve: Serve, said: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([0, 1, 100])
    monkeypatch.setattr(server, "time", SimpleNamespace(monotonic=lambda: next(now), sleep=lambda _: None))
    address = serve(booting("failed: no images", "waits for the database"))
    last = server._waited(f"http://{address}", address, TRUST, patience=50)
    assert last == "the server waits for the database; before, the server says: failed: no images"


def test_without_a_step_what_cvat_says_is_reported(serve: Serve, said: list[tuple[str, str]]) -> None:
    address = serve(booting(then={"DatabaseBackend": "unavailable", "DiskUsage": "working"}))
    assert server._waited(f"http://{address}", address, TRUST, 0) == "DatabaseBackend: unavailable"


@pytest.mark.parametrize(
    ("status", "kind", "text", "expected"),
    [
        (200, "text/plain", "installs Docker\n", "installs Docker"),
        (200, "text/plain", "in\x1b[31mstalls\r\nDocker", "in[31mstallsDocker"),
        (200, "text/plain", "x" * 1000, "x" * server.LONGEST_STEP),
        (200, "text/html", "<p>CVAT", ""),
        (308, "text/plain", "moved", ""),
        (404, "text/plain", "", ""),
    ],
)
def test_only_a_plain_line_is_taken_for_a_step(
    serve: Serve, status: int, kind: str, text: str, expected: str
) -> None:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Location", "/other")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None: ...

    assert server._step(serve(Answers)) == expected


def test_a_closed_port_tells_nothing() -> None:
    assert server._step("127.0.0.1:1") == ""


def spec_of(**changes: object) -> ScalewaySpec:
    given = {"name": "pets", "target": "scaleway", "buckets": [{"name": "street"}]}
    return validate(ScalewaySpec, {**given, **changes})


def test_an_update_that_waits_in_vain_says_what_for(
    said: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_waited", lambda *_: "the server installs Docker")
    with pytest.raises(pulumi.RunError, match=r"in 20 minutes \(last: the server installs Docker\).*192\.0"):
        server._until_ready(spec_of(), "id", "https://labels.invalid", "192.0.2.1")


@pytest.mark.parametrize("changes", [{"running": False}, {"scaleway": {"wait_minutes": 0}}])
def test_an_update_need_not_wait(changes: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_waited", lambda *_: "asked")
    assert server._until_ready(spec_of(**changes), "id", "https://labels.invalid", "192.0.2.1") == "id"


@pytest.fixture
def step_answer(serve: Serve) -> Callable[[str, bytes], tuple[int, bytes]]:
    """The server's own program: its answer to a path while its file holds a step."""
    module = ModuleType("labelspace_tell")
    exec(compile(cloud_init.script("labelspace-tell"), "labelspace-tell", "exec"), module.__dict__)  # noqa: S102

    def ask(path: str, step: bytes) -> tuple[int, bytes]:
        module.os = SimpleNamespace(pread=lambda _, most, at: step[at : at + most])  # type: ignore[attr-defined]
        asked = HTTPConnection(serve(module.Teller), timeout=10)
        asked.request("GET", path)
        answer = asked.getresponse()
        assert answer.headers["Server"].strip() == "labelspace", "nothing of Python is disclosed"
        body = answer.read()
        asked.close()
        return answer.status, body

    return ask


def test_the_server_serves_its_step_and_nothing_else(
    step_answer: Callable[[str, bytes], tuple[int, bytes]],
) -> None:
    assert step_answer(cloud_init.STEP_PATH, b"installs Docker\n") == (200, b"installs Docker\n")
    assert step_answer(cloud_init.STEP_PATH, b"x" * 500) == (200, b"x" * server.LONGEST_STEP)
    assert step_answer(cloud_init.STEP_PATH, b"") == (404, b"")
    for path in ("/", f"{cloud_init.STEP_PATH}/..", f"{cloud_init.STEP_PATH}?a", "/etc/passwd"):
        assert step_answer(path, b"installs Docker\n") == (404, b""), path


def test_nothing_is_installed_before_the_step_is_served() -> None:
    commands = cloud_init._commands(boot_of())
    tells = commands.index("systemctl start labelspace-tell.service")
    assert tells < min(index for index, one in enumerate(commands) if "apt-get" in one)
    assert "packages" not in cloud_init.user_data(boot_of()).split("runcmd")[0].split("write_files")[0]


def boot_of() -> BootConfig:
    return BootConfig(
        workspace="pets",
        services={},
        plain_files={},
        region="fr-par",
        access_key="key",
        secret_key="secret",
        secret_id="id",
        database_host="10.0.0.2",
        disk="/dev/sdb",
        buckets=("street",),
        backup_bucket="kept",
        endpoint="https://s3",
    )


@pytest.fixture
def without_certificate() -> Iterator[str]:
    """A server that refuses every TLS handshake, as Caddy does before it has a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    one = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    one.socket = context.wrap_socket(one.socket, server_side=True, do_handshake_on_connect=False)
    one.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=one.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{one.server_port}"
    one.shutdown()
    one.server_close()


@pytest.mark.parametrize(
    ("host", "reason"),
    [("192-0-2-1.sslip.io", "share one weekly limit"), ("labels.example.org", "five failures")],
)
def test_a_missing_certificate_is_explained_within_a_minute(
    said: list[tuple[str, str]],
    without_certificate: str,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    reason: str,
) -> None:
    problem = server._problem(f"https://{without_certificate}", TRUST)
    assert problem.startswith(server.NO_CERTIFICATE)
    now = iter(range(0, 10_000, 10))
    clock = SimpleNamespace(monotonic=lambda: next(now), sleep=lambda _: None)
    monkeypatch.setattr(server, "time", clock)
    monkeypatch.setattr(server, "_problem", lambda *_: problem)
    last = server._waited(f"https://{host}", "127.0.0.1:1", TRUST, patience=600)
    explained = [text for level, text in said if level == "warn"]
    assert len(explained) == 1
    assert reason in explained[0]
    assert reason in last

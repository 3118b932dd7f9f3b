"""The certificate of a URL, judged over a real TLS connection and by its dates."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from labelspace_ops.targets.scaleway import certificate

DAY = 86400


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A URL whose certificate is of 90 days, and its authority."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, context), daemon=True)
        thread.start()
        yield f"https://localhost:{listening.getsockname()[1]}", cert


def _serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    try:
        line, _ = listening.accept()
        with context.wrap_socket(line, server_side=True) as spoken:
            spoken.recv(1)
    except OSError:
        return


def test_one_that_machines_trust_is_well(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    url, authority = served
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    check, until = certificate.inspect(url)
    assert check.ok, check.detail
    assert until
    assert until.endswith("Z")


def test_one_that_nobody_knows_is_not(served: tuple[str, Path]) -> None:
    check, until = certificate.inspect(served[0])
    assert not check.ok
    assert "self-signed" in check.detail.replace("self signed", "self-signed")
    assert until is None


@pytest.mark.parametrize(("age", "ok"), [(1, True), (60, True), (74, True), (76, False), (91, False)])
def test_one_that_was_not_renewed_is_reported_before_it_ends(age: int, ok: bool) -> None:
    """Caddy renews 30 days before the end of 90; half of those are waited for."""
    check, until = certificate.to_check(0, 90 * DAY, age * DAY)
    assert (check.ok, until) == (ok, "1970-04-01T00:00:00Z")
    assert ok or "was not renewed" in check.detail

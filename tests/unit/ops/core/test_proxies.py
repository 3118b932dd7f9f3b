"""Which addresses no proxy is asked for."""

from __future__ import annotations

import urllib.request

import pytest

from labelspace_ops.core import proxies


@pytest.fixture(autouse=True)
def _proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(name, "intranet.example.org")
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("http://pets.localhost:8080", "pets.localhost"),
        ("http://localhost:7070", "localhost"),
        ("http://[::1]:8080", "::1"),
    ],
)
def test_no_proxy_for_this_machine(url: str, host: str) -> None:
    proxies.exempt_own(url)
    proxies.exempt_own(url)
    assert urllib.request.proxy_bypass(host)
    assert urllib.request.proxy_bypass("intranet.example.org")
    assert len(urllib.request.getproxies()["no"].split(",")) == 2


@pytest.mark.parametrize(
    "url", ["https://s3.fr-par.scw.cloud", "http://192.0.2.7:9000", "unix:///docker.sock"]
)
def test_a_proxy_for_other_machines(url: str) -> None:
    proxies.exempt_own(url)
    assert urllib.request.getproxies()["no"] == "intranet.example.org"
    assert not urllib.request.proxy_bypass("s3.fr-par.scw.cloud")

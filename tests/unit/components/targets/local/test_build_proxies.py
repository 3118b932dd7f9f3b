"""Proxies for the build of the database's image."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from labelspace.targets.local import database


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*database.PROXY_VARIABLES, "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


async def _values() -> tuple[Any, bool]:
    output = database._proxies()
    assert output is not None
    return await output.future(), await output.is_secret()


def test_a_build_gets_the_proxies_as_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://ann:secret@proxy.example.org:3128")
    monkeypatch.setenv("no_proxy", "intranet.example.org")
    loop = asyncio.new_event_loop()  # ``asyncio.run`` would take other tests' loop away
    values, secret = loop.run_until_complete(_values())
    loop.close()
    assert values == {
        "https_proxy": "http://ann:secret@proxy.example.org:3128",
        "no_proxy": "intranet.example.org",
    }
    assert secret


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:3128", "http://a:b@localhost:3128", "http://[::1]:1"])
def test_a_build_gets_no_proxy_that_it_cannot_reach(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", url)
    assert database._proxies() is None

"""Who is refused: no link, a used link, another site, another host; for pages and the websocket alike."""

from __future__ import annotations

import httpx
import pytest
from tests.e2e.console.conftest import Console

SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
PLACES = ("/", "/create", "/workspace/street", "/costs", "/favicon.ico", "/nowhere", SOCKET,
          "/_nicegui_ws/socket.io/?EIO=4&transport=polling")  # fmt: skip


@pytest.fixture(scope="module")
def visitor(console: Console) -> httpx.Client:
    """Somebody with a session."""
    client = httpx.Client(base_url=console.url, timeout=30)
    answer = client.get(console.link())
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return client


def _knock(client: httpx.Client, place: str, **headers: str) -> int:
    """The status of a page; of the websocket, that of the handshake, left as soon as it is answered."""
    upgrade = UPGRADE if place == SOCKET else {}
    with client.stream("GET", place, headers={**upgrade, **headers}) as answer:
        return answer.status_code


@pytest.mark.parametrize("place", PLACES)
def test_without_a_session_everything_is_refused(console: Console, visitor: httpx.Client, place: str) -> None:
    with httpx.Client(base_url=console.url) as stranger:
        assert _knock(stranger, place, Origin=console.url) == 403
        stranger.cookies.set(f"labelspace-console-{console.port}", "guessed")
        assert _knock(stranger, place, Origin=console.url) == 403


def test_with_a_session_the_pages_and_the_websocket_answer(console: Console, visitor: httpx.Client) -> None:
    assert _knock(visitor, "/") == 200
    assert _knock(visitor, SOCKET, Origin=console.url) == 101


@pytest.mark.parametrize("place", ["/", SOCKET])
@pytest.mark.parametrize("origin", ["https://example.org", "http://127.0.0.1:1", "null"])
def test_another_site_is_refused(visitor: httpx.Client, place: str, origin: str) -> None:
    assert _knock(visitor, place, Origin=origin) == 403


def test_a_websocket_or_a_change_without_origin_is_refused(visitor: httpx.Client) -> None:
    assert _knock(visitor, SOCKET) == 403
    assert visitor.post("/_nicegui/client/any/upload/1").status_code == 403


@pytest.mark.parametrize("place", ["/", SOCKET])
@pytest.mark.parametrize("host", ["example.org", "127.0.0.1", "console.localhost:{port}"])
def test_another_host_is_refused(console: Console, visitor: httpx.Client, place: str, host: str) -> None:
    named = host.format(port=console.port)
    assert _knock(visitor, place, Host=named, Origin=f"http://{named}") == 403


def test_a_link_works_once(console: Console) -> None:
    link = console.link()
    assert httpx.get(link).status_code == 303
    assert httpx.get(link).status_code == 403
    assert console.link() != link
    assert httpx.get(f"{console.url}/?token=guessed").status_code == 403


def test_no_page_may_be_framed_or_tell_its_address(visitor: httpx.Client) -> None:
    answer = visitor.get("/")
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in answer.headers["cache-control"]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(console: Console) -> None:
    cookie = httpx.get(console.link()).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie

"""Who may talk to the console: this machine's user, by a link that works once, from the console's own pages.

It stands in front of everything (pages, files, uploads, the websocket), as a plain ASGI application.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REFUSALS = {
    "host": "This address is not the console's: open the link that `labelspace console` printed.",
    "origin": "Another site asked: the console answers its own pages alone.",
    "token": "No valid link: open the one that `labelspace console` printed last. Each works once.",
}
PROTECTION = [
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass
class Sessions:
    """The link's token, good for one use, and the sessions that were opened with one."""

    port: int
    on_used: Callable[[str], None]
    """Told the next token when one was used: the user may want another browser."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    sessions: set[str] = field(default_factory=set)

    @property
    def cookie(self) -> str:
        """Cookies know no ports: two consoles on one machine have names of their own."""
        return f"labelspace-console-{self.port}"

    def redeem(self, token: str) -> str | None:
        """A new session for the right token, which ends its life."""
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            return None
        session, self.token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self.sessions.add(session)
        self.on_used(self.token)
        return session

    def admits(self, cookies: str) -> bool:
        """Whether a ``Cookie`` header carries an open session."""
        try:
            morsel = SimpleCookie(cookies).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and morsel.value in self.sessions


class SessionMiddleware:
    """Refuses with 403 whatever lacks the session, comes from another site or asks for another host."""

    def __init__(self, inside: Application, keys: Sessions) -> None:
        self.inside, self.keys = inside, keys
        self.hosts = {f"{host}:{keys.port}" for host in ("127.0.0.1", "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on to what is inside."""
        if scope["type"] == "lifespan":
            await self.inside(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        token = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        refusal = self._refusal(scope, headers)
        if refusal == "token" and scope["type"] == "http" and (session := self.keys.redeem(token)):
            await self._welcome(session, send)
        elif refusal:
            await _refuse(scope, receive, send, REFUSALS[refusal])
        else:
            await self.inside(scope, receive, _protecting(send))

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> str:
        """The key of what is wrong; empty when nothing is."""
        if headers.get("host") not in self.hosts:
            return "host"
        origin, own = headers.get("origin"), f"http://{headers['host']}"
        wants_origin = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if (origin is None and wants_origin) or (origin is not None and origin != own):
            return "origin"
        return "" if self.keys.admits(headers.get("cookie", "")) else "token"

    async def _welcome(self, session: str, send: Send) -> None:
        """Give the session's cookie and take the token out of the address bar."""
        cookie = f"{self.keys.cookie}={session}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 303, "headers": headers + PROTECTION})
        await send({"type": "http.response.body", "body": b""})


def _protecting(send: Send) -> Send:
    """Every answer forbids framing and referrers."""

    async def protected(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *PROTECTION]
        await send(message)

    return protected


async def _refuse(scope: Scope, receive: Receive, send: Send, words: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: answered as 403
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *PROTECTION]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode() + b"\n"})

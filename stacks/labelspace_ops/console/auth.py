"""Access control of the console: a link that works once opens a session; requests of other sites are refused.

It is an ASGI middleware around everything that the console serves: pages, files, uploads, the websocket.
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
SECURITY_HEADERS = [
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
    """Called with the next token after one was used, so that the user can open another browser."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    sessions: set[str] = field(default_factory=set)

    @property
    def cookie(self) -> str:
        """The cookie's name; it has the port because cookies are shared by all ports of a host."""
        return f"labelspace-console-{self.port}"

    def redeem(self, token: str) -> str | None:
        """A new session for the right token, which becomes invalid; None for a wrong one."""
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
    """Refuses with 403 requests without a session, from another site or for another host."""

    def __init__(self, application: Application, keys: Sessions) -> None:
        self.application, self.keys = application, keys
        self.hosts = {f"{host}:{keys.port}" for host in ("127.0.0.1", "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it to the wrapped application."""
        if scope["type"] == "lifespan":
            await self.application(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        token = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        refusal = self._refusal(scope, headers)
        if refusal == "token" and scope["type"] == "http" and (session := self.keys.redeem(token)):
            await self._start_session(session, send)
        elif refusal:
            await _refuse(scope, receive, send, REFUSALS[refusal])
        else:
            await self.application(scope, receive, _with_security_headers(send))

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> str:
        """The key in ``REFUSALS`` of why a request is refused; empty when it is allowed."""
        if headers.get("host") not in self.hosts:
            return "host"
        origin, own = headers.get("origin"), f"http://{headers['host']}"
        wants_origin = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if (origin is None and wants_origin) or (origin is not None and origin != own):
            return "origin"
        return "" if self.keys.admits(headers.get("cookie", "")) else "token"

    async def _start_session(self, session: str, send: Send) -> None:
        """Set the session's cookie and redirect, so that the token leaves the address bar."""
        cookie = f"{self.keys.cookie}={session}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 303, "headers": headers + SECURITY_HEADERS})
        await send({"type": "http.response.body", "body": b""})


def _with_security_headers(send: Send) -> Send:
    """Add the security headers to every response."""

    async def protected(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *SECURITY_HEADERS]
        await send(message)

    return protected


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: answered as 403
        return
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"cache-control", b"no-store"),
        *SECURITY_HEADERS,
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": reason.encode() + b"\n"})

"""Read-only checks of any CVAT server: whether labelspace knows its line, and what the line says of it."""

from __future__ import annotations

from typing import Any

import httpx

from labelspace.cvat_lines import MEANING, least_version, line_of, order
from labelspace_ops.core import proxies
from labelspace_ops.core.checks import Check, run_check
from labelspace_ops.core.errors import OpsError, UsageError

TIMEOUT_SECONDS = 30
GZIP = b"\x1f\x8b"


def examine(url: str) -> list[Check]:
    """Check the server at ``url`` without an account; only what strangers may read is asked for."""
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"cvat: {url!r}: give the URL of a server, such as https://cvat.example.org")
    proxies.exempt_own(url)
    with httpx.Client(base_url=url.rstrip("/"), timeout=TIMEOUT_SECONDS, follow_redirects=True) as client:
        server = _Server(client)
        return [
            run_check("version", server.version),
            run_check("health", server.health),
            run_check("rules", server.rules),
            run_check("sign-in", server.sign_in),
        ]


class _Server:
    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def _get(self, path: str) -> httpx.Response:
        try:
            return self._client.get(path)
        except httpx.HTTPError as error:
            raise OpsError(f"{path}: {error or type(error).__name__}") from None

    def _json(self, path: str) -> Any:
        response = self._get(path)
        try:
            return response.json()
        except ValueError:
            raise OpsError(f"{path} answers {response.status_code}, and not with JSON") from None

    def _version(self) -> str:
        return str(self._json("/api/server/about").get("version", ""))

    def version(self) -> str:
        """The version and how well its line is tested."""
        version = self._version()
        try:
            is_old = order(version) < order(least_version())
        except ValueError:
            raise OpsError(f"{version!r} is no version of CVAT") from None
        if is_old:
            raise OpsError(f"{version} is older than {least_version()}: labelspace has no line for it")
        line = line_of(version)
        return f"{version}, line {line.name}, {line.state}: {MEANING[line.state]} ({line.date})"

    def health(self) -> str:
        """Every part that the line names works."""
        parts, line = self._json("/api/server/health/?format=json"), line_of(self._version())
        found = {name: str(parts.get(name, "not reported")) for name in {*line.health, *parts}}
        broken = [f"{name}: {text}" for name, text in sorted(found.items()) if text != "working"]
        if broken:
            raise OpsError("; ".join(broken))
        return f"{len(parts)} parts work"

    def rules(self) -> str:
        """OPA gets its rules without an account."""
        response = self._get("/api/auth/rules")
        if not response.content.startswith(GZIP):
            raise OpsError(f"/api/auth/rules answers {response.status_code}, and not with a bundle")
        return f"a bundle of {len(response.content)} bytes"

    def sign_in(self) -> str:
        """A stranger is nobody."""
        code = self._get("/api/users/self").status_code
        if code not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise OpsError(f"/api/users/self answers a stranger with {code}")
        return "a stranger is refused"

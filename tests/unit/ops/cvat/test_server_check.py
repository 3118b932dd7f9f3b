"""The read-only checks of any CVAT server, over a transport that answers like one."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from labelspace.cvat_lines import line_of
from labelspace_ops.core.errors import UsageError
from labelspace_ops.cvat import server_check

HEALTHY = dict.fromkeys(line_of("2.73.0").health, "working")


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The failed checks of a server with these answers, and the requests that it got."""

    def run(version: str = "2.73.0", health: Any = HEALTHY, stranger: int = 401) -> dict[str, str]:
        def answer(request: httpx.Request) -> httpx.Response:
            assert request.method == "GET"
            answers = {
                "/api/server/about": httpx.Response(200, json={"version": version}),
                "/api/server/health/": httpx.Response(200, json=health),
                "/api/auth/rules": httpx.Response(200, content=b"\x1f\x8b..."),
            }
            return answers.get(request.url.path, httpx.Response(stranger))

        made = httpx.Client

        def client(**options: Any) -> httpx.Client:
            return made(**options, transport=httpx.MockTransport(answer))

        monkeypatch.setattr(httpx, "Client", client)
        checks = server_check.examine("http://cvat.example.org/")
        monkeypatch.setattr(httpx, "Client", made)
        assert [check.name for check in checks] == ["version", "health", "rules", "sign-in"]
        return {check.name: check.detail for check in checks if not check.ok}

    return run


def test_a_server_of_a_known_line_passes(examined: Any) -> None:
    assert examined() == {}


def test_each_difference_is_named(examined: Any) -> None:
    assert "older than 2.73.0" in examined(version="2.40.1")["version"]
    assert examined(version="dev")["version"] == "'dev' is no version of CVAT"
    broken = {**HEALTHY, "DiskUsage": "full"}
    del broken["OPAHealthCheck"]
    assert examined(health=broken) == {"health": "DiskUsage: full; OPAHealthCheck: not reported"}
    assert examined(stranger=200) == {"sign-in": "/api/users/self answers a stranger with 200"}


def test_something_else_than_a_url_is_refused() -> None:
    with pytest.raises(UsageError, match="give the URL"):
        server_check.examine("cvat.example.org")

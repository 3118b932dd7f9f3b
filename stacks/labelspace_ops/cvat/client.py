"""CVAT's REST API, as the admin of a workspace: errors are sentences, lists whole, requests followed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from labelspace.cvat.caddy import PROBE_HEADER
from labelspace.home import Home
from labelspace_ops.core import proxies
from labelspace_ops.core.errors import OpsError
from labelspace_ops.cvat import sleep
from labelspace_ops.stack import state

PAGE = 500
"""The longest page that CVAT gives (cvat/apps/engine/pagination.py)."""
PATIENCE_SECONDS = 300
"""How long a server that wakes up or starts is waited for."""
FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 0.2, 2.0


class UnreachableError(OpsError):
    """No CVAT answers there now: it is stopped, asleep, or starting."""


class RefusedError(OpsError):
    """CVAT does not let the admin in with the password that is known."""


class CvatClient:
    """Logged in with the first call; ``look``: only measures, so it neither wakes nor waits."""

    def __init__(self, url: str, username: str, password: str, *, look: bool = False) -> None:
        headers = {PROBE_HEADER: "1"} if look else {}
        proxies.exempt_own(url)
        self._http = httpx.Client(base_url=url, timeout=120, headers=headers)
        self._who = {"username": username, "password": password}
        self._patience = 0 if look else PATIENCE_SECONDS
        self._logged_in = False

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of ``/api`` + ``path``."""
        return self._ask("GET", path, params=query).json()

    def find(self, path: str) -> Any:
        """The same; None when there is no such thing."""
        answer = self._ask("GET", path, missing=True)
        return None if answer.status_code == httpx.codes.NOT_FOUND else answer.json()

    def post(self, path: str, body: dict[str, Any], **query: Any) -> Any:
        """Send ``body`` and return the answer's JSON."""
        return self._ask("POST", path, json=body, params=query).json()

    def patch(self, path: str, body: dict[str, Any], **query: Any) -> Any:
        """Change what is there and return the answer's JSON."""
        return self._ask("PATCH", path, json=body, params=query).json()

    def delete(self, path: str) -> None:
        """Remove what is there."""
        self._ask("DELETE", path)

    def list_all(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every row of a list, page by page."""
        number = 1
        while True:
            page = self.get(path, page=number, page_size=PAGE, **query)
            yield from page["results"]
            if not page["next"]:
                return
            number += 1

    def wait_for_request(self, request_id: str) -> dict[str, Any]:
        """Follow a background request to its end; raises ``OpsError`` with CVAT's reason when it failed."""
        pause = FIRST_POLL_SECONDS
        while True:
            row: dict[str, Any] = self.get(f"/requests/{quote(request_id, safe='')}")
            if row["status"] == "finished":
                return row
            if row["status"] == "failed":
                raise OpsError(f"CVAT: {_last_line(row['message'])}")
            time.sleep(pause)
            pause = min(pause * 1.5, LAST_POLL_SECONDS)

    def download(self, url: str, file: Path) -> None:
        """Write what ``url`` (as a request's ``result_url``) serves into ``file``."""
        parts = urlsplit(url)
        with self._http.stream("GET", f"{parts.path}?{parts.query}") as answer, file.open("wb") as out:
            if answer.is_error:
                answer.read()
                raise _refused("GET", parts.path, answer)
            for piece in answer.iter_bytes():
                out.write(piece)

    def _ask(self, method: str, path: str, *, missing: bool = False, **options: Any) -> httpx.Response:
        if not self._logged_in:
            self._log_in()
        answer = self._send(method, f"/api{path}", **options)
        if answer.is_error and not (missing and answer.status_code == httpx.codes.NOT_FOUND):
            raise _refused(method, path, answer)
        return answer

    def _log_in(self) -> None:
        answer = self._send("POST", "/api/auth/login", json=self._who)
        if answer.is_error:
            raise RefusedError(
                f"CVAT refuses the admin {self._who['username']!r} ({_detail(answer)}): when the password was"
                " changed in CVAT itself, give a new one with `labelspace set NAME --password-stdin`"
            )
        self._logged_in = True

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call; a server that is not there yet is waited for. Raises ``UnreachableError``."""
        deadline = time.monotonic() + self._patience
        while True:
            problem, answer = self._once(method, path, options)
            if answer is not None:
                return answer
            if time.monotonic() >= deadline:
                raise UnreachableError(f"CVAT does not answer at {self._http.base_url}: {problem}")
            time.sleep(1)

    def _once(self, method: str, path: str, options: dict[str, Any]) -> tuple[str, httpx.Response | None]:
        """Why it cannot be reached, or its answer: a proxy's own page is none."""
        options["headers"] = {"X-CSRFToken": self._http.cookies.get("csrftoken") or ""}
        try:
            answer = self._http.request(method, path, **options)
        except httpx.ConnectError as error:
            return str(error), None
        except httpx.HTTPError as error:
            raise OpsError(f"CVAT broke off {method} {path}: {error or type(error).__name__}") from None
        if answer.status_code in (502, 503, 504) or (answer.is_success and not _is_data(answer)):
            return f"status {answer.status_code}", None
        return "", answer


def _is_data(answer: httpx.Response) -> bool:
    return not answer.content or answer.headers.get("content-type", "").startswith("application/")


def _refused(method: str, path: str, answer: httpx.Response) -> OpsError:
    return OpsError(f"CVAT answers {answer.status_code} to {method} {path}: {_detail(answer)}")


def _detail(answer: httpx.Response) -> str:
    """What CVAT says of it: a JSON of lists of sentences, or a page."""
    try:
        return "; ".join(_sentences(answer.json())) or str(answer.status_code)
    except ValueError:
        return answer.text[:200].strip() or str(answer.status_code)


def _sentences(said: Any) -> list[str]:
    if isinstance(said, dict):
        return [
            text if key in ("detail", "non_field_errors") else f"{key}: {text}"
            for key, value in said.items()
            for text in _sentences(value)
        ]
    if isinstance(said, list):
        return [text for item in said for text in _sentences(item)]
    return [str(said)]


def _last_line(message: str) -> str:
    lines = message.strip().splitlines()
    return lines[-1] if lines else "the request failed and gave no reason"


def connect(name: str, home: Home, say: Callable[[str], None]) -> CvatClient:
    """The admin of a workspace that exists, which is woken when it sleeps."""
    outputs = state.require_outputs(name, home)
    if outputs.get("running") is False:
        raise OpsError(f"{name}: it is stopped: run `labelspace start {name}` first")
    sleep.wake(name, outputs, say)
    return CvatClient(outputs["api_url"], outputs["admin_username"], outputs["admin_password"])


def find_project(cvat: CvatClient, name: str) -> dict[str, Any] | None:
    """The project of that name, None when there is none; raises ``OpsError`` when there are several."""
    found = [row for row in cvat.list_all("/projects", name=name) if row["name"] == name]
    if len(found) > 1:
        numbers = ", ".join(str(row["id"]) for row in found)
        raise OpsError(f"project: CVAT has several named {name!r} ({numbers}): rename all but one in CVAT")
    return found[0] if found else None


def require_project(cvat: CvatClient, name: str) -> dict[str, Any]:
    """The project of that name; raises ``OpsError`` that says which there are."""
    found = find_project(cvat, name)
    if found is None:
        known = ", ".join(sorted(row["name"] for row in cvat.list_all("/projects"))) or "none yet"
        raise OpsError(f"project: {name!r} is not in CVAT; there are: {known}. Write it into the labels file")
    return found

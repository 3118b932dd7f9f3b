"""CVAT's REST API, used as the admin of a workspace."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import ValidationError

from labelspace.cvat.caddy import PROBE_HEADER
from labelspace.home import Home
from labelspace_ops.core import proxies
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.library_errors import reason
from labelspace_ops.core.waiting import wait_until
from labelspace_ops.cvat import sleep
from labelspace_ops.cvat.models import Annotations, DataMeta, Job, Label, Project, Request, Row, Task, User
from labelspace_ops.stack import state

PAGE = 500
"""The longest page that CVAT returns (cvat/apps/engine/pagination.py)."""
PATIENCE_SECONDS = 300
"""How long the client waits for a server that starts."""
FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 0.2, 2.0

Body = Mapping[str, object]
Model = TypeVar("Model", bound=Row)


class UnreachableError(OpsError):
    """CVAT does not answer: it is stopped, asleep or starting."""


class RefusedError(OpsError):
    """CVAT refuses the admin's password."""


class StillRunningError(OpsError):
    """A background request did not finish within the time limit; it continues in CVAT."""


class CvatClient:
    """A client that logs in with its first request; errors are raised as ``OpsError``.

    ``probe``: the requests only measure, so they neither wake the workspace nor wait for it.
    """

    def __init__(self, url: str, username: str, password: str, *, probe: bool = False) -> None:
        headers = {PROBE_HEADER: "1"} if probe else {}
        proxies.exempt_own(url)
        self._http = httpx.Client(base_url=url, timeout=120, headers=headers)
        self._credentials = {"username": username, "password": password}
        self._patience = 0 if probe else PATIENCE_SECONDS
        self._logged_in = False

    def projects(self, **query: object) -> list[Project]:
        """Projects that match the query."""
        return self._list(Project, "/projects", query)

    def find_project(self, number: int) -> Project | None:
        """The project with that id; None when there is none."""
        return self._find(Project, f"/projects/{number}")

    def labels(self, project: int) -> list[Label]:
        """Every label of a project, with the points of skeletons as labels of their own too."""
        return self._list(Label, "/labels", {"project_id": project})

    def tasks(self, project: int, **query: object) -> list[Task]:
        """Tasks of a project that match the query."""
        return self._list(Task, "/tasks", {"project_id": project, **query})

    def task(self, number: int) -> Task:
        """One task."""
        return _parse(Task, self.get(f"/tasks/{number}"))

    def data_meta(self, task: int) -> DataMeta:
        """The frames of a task."""
        return _parse(DataMeta, self.get(f"/tasks/{task}/data/meta"))

    def frame_names(self, task: int) -> list[str]:
        """The names of a task's frames, in order."""
        return [frame.name for frame in self.data_meta(task).frames]

    def jobs(self, **query: object) -> list[Job]:
        """Jobs that match the query."""
        return self._list(Job, "/jobs", query)

    def users(self) -> list[User]:
        """Every account."""
        return self._list(User, "/users", {})

    def annotations(self, task: int) -> Annotations:
        """The annotations of a task."""
        return _parse(Annotations, self.get(f"/tasks/{task}/annotations"))

    def annotated_labels(self, job: int) -> set[int]:
        """The ids of the labels that annotations of a job have."""
        rows = self.get(f"/jobs/{job}/annotations")
        return {row["label_id"] for kind in ("tags", "shapes", "tracks") for row in rows.get(kind, [])}

    def find_request(self, request: str) -> Request | None:
        """The background request with that id; None when CVAT does not know it."""
        return self._find(Request, f"/requests/{quote(request, safe='')}")

    def requests(self, **query: object) -> list[Request]:
        """The admin's own background requests that match the query; CVAT does not list those of others."""
        return self._list(Request, "/requests", query)

    def wait_for_request(
        self, request: str, *, timeout: float = math.inf, on_poll: Callable[[Request], None] | None = None
    ) -> Request:
        """Wait for the end of a background request, at most ``timeout`` seconds.

        ``on_poll`` receives the request each time that it is not finished. Raises ``OpsError`` with CVAT's
        reason, ``StillRunningError`` after the time limit.
        """

        def poll() -> Request | None:
            row = _parse(Request, self.get(f"/requests/{quote(request, safe='')}"))
            if row.status == "failed":
                raise OpsError(f"CVAT: {_last_line(row.message)}")
            if row.status != "finished" and on_poll:
                on_poll(row)
            return row if row.status == "finished" else None

        def expire() -> str:
            raise StillRunningError(f"CVAT did not finish {request} within {timeout:.0f} s")

        return wait_until(
            poll,
            timeout=timeout,
            interval=FIRST_POLL_SECONDS,
            max_interval=LAST_POLL_SECONDS,
            on_timeout=expire,
        )

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of ``/api`` + ``path``."""
        return self._ask("GET", path, params=query).json()

    def post(self, path: str, body: Body, **query: Any) -> Any:
        """Create with ``body`` and return the JSON of the response."""
        return self._ask("POST", path, json=body, params=query).json()

    def patch(self, path: str, body: Body, **query: Any) -> Any:
        """Change with ``body`` and return the JSON of the response."""
        return self._ask("PATCH", path, json=body, params=query).json()

    def delete(self, path: str) -> None:
        """Delete an object."""
        self._ask("DELETE", path)

    def list_all(self, path: str, **query: Any) -> Iterator[Any]:
        """Yield every row of a list, page by page."""
        number = 1
        while True:
            page = self.get(path, page=number, page_size=PAGE, **query)
            yield from page["results"]
            if not page["next"]:
                return
            number += 1

    def find(self, path: str) -> Any:
        """The JSON of ``/api`` + ``path``; None when CVAT does not have it."""
        response = self._ask("GET", path, missing=True)
        return None if response.status_code == httpx.codes.NOT_FOUND else response.json()

    def _list(self, model: type[Model], path: str, query: Body) -> list[Model]:
        return [_parse(model, row) for row in self.list_all(path, **query)]

    def _find(self, model: type[Model], path: str) -> Model | None:
        row = self.find(path)
        return None if row is None else _parse(model, row)

    def download(self, url: str, file: Path) -> None:
        """Write the response of ``url`` (such as a request's ``result_url``) to ``file``."""
        parts = urlsplit(url)
        with self._http.stream("GET", f"{parts.path}?{parts.query}") as response, file.open("wb") as out:
            if response.is_error:
                response.read()
                raise _refused("GET", parts.path, response)
            for piece in response.iter_bytes():
                out.write(piece)

    def _ask(self, method: str, path: str, *, missing: bool = False, **options: Any) -> httpx.Response:
        if not self._logged_in:
            self._log_in()
        response = self._send(method, f"/api{path}", **options)
        if response.is_error and not (missing and response.status_code == httpx.codes.NOT_FOUND):
            raise _refused(method, path, response)
        return response

    def _log_in(self) -> None:
        response = self._send("POST", "/api/auth/login", json=self._credentials)
        if response.is_error:
            raise RefusedError(
                f"CVAT refuses the admin {self._credentials['username']!r} ({_detail(response)}): when the"
                " password was changed in CVAT itself, give a new one with `labelspace set NAME"
                " --password-stdin`"
            )
        self._logged_in = True

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and wait for a server that starts; raises ``UnreachableError``."""
        deadline = time.monotonic() + self._patience
        while True:
            problem, response = self._send_once(method, path, **options)
            if response is not None:
                return response
            if time.monotonic() >= deadline:
                raise UnreachableError(
                    f"CVAT does not answer at {self._http.base_url}: {problem}: see `labelspace status NAME`"
                )
            time.sleep(1)

    def _send_once(self, method: str, path: str, **options: Any) -> tuple[str, httpx.Response | None]:
        """Return the reason why CVAT does not answer, or its response; the proxy's own pages are none."""
        headers = {"X-CSRFToken": self._http.cookies.get("csrftoken") or ""}
        try:
            response = self._http.request(method, path, headers=headers, **options)
        except httpx.ConnectError as error:
            return reason(error), None
        except httpx.HTTPError as error:
            raise OpsError(f"CVAT broke off {method} {path}: {reason(error)}") from None
        if response.status_code in (502, 503, 504) or (response.is_success and not _is_data(response)):
            return f"status {response.status_code}", None
        return "", response


def _parse(model: type[Model], row: object) -> Model:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = ".".join(map(str, problem["loc"]))
        raise OpsError(
            f"CVAT returns a {model.__name__.lower()} of unknown form ({field}: {problem['msg']}): choose a"
            " supported version with `labelspace set NAME cvat_version=VERSION`"
        ) from None


def _is_data(response: httpx.Response) -> bool:
    return not response.content or response.headers.get("content-type", "").startswith("application/")


def _refused(method: str, path: str, response: httpx.Response) -> OpsError:
    return OpsError(f"CVAT answers {response.status_code} to {method} {path}: {_detail(response)}")


def _detail(response: httpx.Response) -> str:
    """Return CVAT's reason: JSON with lists of sentences, or the start of a page."""
    try:
        return "; ".join(_sentences(response.json())) or str(response.status_code)
    except ValueError:
        return response.text[:200].strip() or str(response.status_code)


def _sentences(detail: object) -> list[str]:
    if isinstance(detail, dict):
        return [
            text if key in ("detail", "non_field_errors") else f"{key}: {text}"
            for key, value in detail.items()
            for text in _sentences(value)
        ]
    if isinstance(detail, list):
        return [text for item in detail for text in _sentences(item)]
    return [str(detail)]


def _last_line(message: str) -> str:
    lines = message.strip().splitlines()
    return lines[-1] if lines else "the request failed and gave no reason"


def connect(name: str, home: Home) -> CvatClient:
    """Return a client for a workspace, and wake the workspace if it sleeps; raises ``OpsError``."""
    outputs = state.require_outputs(name, home)
    if outputs.get("running") is False:
        raise OpsError(f"{name}: it is stopped: run `labelspace start {name}` first")
    sleep.wake(name, outputs)
    return CvatClient(outputs["api_url"], outputs["admin_username"], outputs["admin_password"])


def find_project(cvat: CvatClient, name: str) -> Project | None:
    """Return the project of that name, None when there is none; raises ``OpsError`` for several."""
    found = [one for one in cvat.projects(name=name) if one.name == name]
    if len(found) > 1:
        numbers = ", ".join(str(one.id) for one in found)
        raise OpsError(f"project: CVAT has several named {name!r} ({numbers}): rename all but one in CVAT")
    return found[0] if found else None


def require_project(cvat: CvatClient, name: str) -> Project:
    """Return the project of that name; raises ``OpsError`` with the names of all projects."""
    found = find_project(cvat, name)
    if found is None:
        known = ", ".join(sorted(one.name for one in cvat.projects())) or "none yet"
        raise OpsError(f"project: {name!r} is not in CVAT; there are: {known}. Write it into the labels file")
    return found

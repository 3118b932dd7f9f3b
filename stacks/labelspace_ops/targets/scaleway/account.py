"""A Scaleway account: its keys, its API and its Object Storage."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from labelspace.home import Home
from labelspace.targets.scaleway import credentials
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.library_errors import reason
from labelspace_ops.targets.scaleway.answers import Answer, ApiKey, Counted, parse

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

A = TypeVar("A", bound=Answer)
P = TypeVar("P", bound=Sized)
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
FORMS = {"access_key": r"SCW[A-Z0-9]{17}", "secret_key": UUID, "project": UUID, "organization": UUID}
"""Required credential -> its regular expression (Scaleway's SDK)."""
API = "https://api.scaleway.com"
PAGE_SIZE = 100
RETRIED = (429, 500, 502, 503, 504)
"""Status codes after which a GET is repeated; other methods only after 429, which created nothing."""
TRIES, PAUSE_SECONDS = 4, 1.0


class RefusedError(OpsError):
    """The API answers 401 or 403: the key is invalid or lacks a permission."""


@dataclass(frozen=True)
class Account:
    """The keys and ids of an account; ids are UUIDs without a region."""

    access_key: str
    secret_key: str
    project: str
    """The project of the keys, shared by the workspaces without a project of their own."""
    organization: str
    api: str = API
    patience: float = 0
    """Seconds to wait for an answer, without another attempt after a timeout; 0: 20 s, and S3's minutes."""

    def get(self, path: str, kind: type[A], **query: str) -> A:
        """Send a GET; return the answer. Raises ``OpsError``, ``RefusedError`` for a missing permission."""
        return self._parsed(kind, "GET", path, params=query)

    def get_or_none(self, path: str, kind: type[A]) -> A | None:
        """Send a GET; return the answer, or None after 404. Raises ``OpsError``."""
        response = self._call("GET", path, allow_missing=True)
        return None if response.status_code == 404 else parse(kind, _json(response, path), f"GET {path}")

    def post(self, path: str, body: Mapping[str, object], kind: type[A]) -> A:
        """Send a POST with a JSON body; return the answer. Raises ``OpsError``."""
        return self._parsed(kind, "POST", path, json=body)

    def _parsed(self, kind: type[A], method: str, path: str, **request: Any) -> A:
        return parse(kind, _json(self._call(method, path, **request), path), f"{method} {path}")

    def delete(self, path: str) -> None:
        """Send a DELETE; 404 counts as deleted. Raises ``OpsError``."""
        self._call("DELETE", path, allow_missing=True)

    def list_all(self, path: str, key: str, kind: type[A], **query: str) -> Iterator[A]:
        """Yield all items of the list ``key``, page by page."""
        return (row for page in self._pages(path, key, list[kind], **query) for row in page)  # type: ignore[valid-type]

    def map_all(self, path: str, key: str, kind: type[A]) -> dict[str, A]:
        """Return all items of the map ``key`` by their names."""
        pages = self._pages(path, key, dict[str, kind])  # type: ignore[valid-type]
        return {name: one for page in pages for name, one in page.items()}

    def _pages(self, path: str, key: str, kind: type[P], **query: str) -> Iterator[P]:
        """Yield the pages of a list.

        The Instances API names the page size ``per_page`` and returns the total in a header.
        """
        size, page, seen = "per_page" if path.startswith("/instance/") else "page_size", 1, 0
        while True:
            response = self._call("GET", path, params={"page": str(page), size: str(PAGE_SIZE), **query})
            body = parse(dict[str, Any], _json(response, path), f"GET {path}")
            rows = parse(kind, body.get(key), f"GET {path}", key)
            yield rows
            seen, page = seen + len(rows), page + 1
            total = response.headers.get("x-total-count") or body.get("total_count") or 0
            if not rows or seen >= parse(int, total, f"GET {path}", "total_count"):
                return

    def count(self, path: str, **query: str) -> int:
        """Return the number of items of a list."""
        return self.get(path, Counted, page="1", page_size="1", **query).total_count

    def _call(self, method: str, path: str, *, allow_missing: bool = False, **request: Any) -> httpx.Response:
        retried = RETRIED if method == "GET" else RETRIED[:1]
        for tries_left in range(TRIES, 0, -1):
            try:
                response = httpx.request(
                    method, self.api + path, headers={"X-Auth-Token": self.secret_key},
                    timeout=self.patience or 20, **request,
                )  # fmt: skip
            except httpx.HTTPError as error:
                if method != "GET" or tries_left == 1 or self.patience:  # the resource may have been created
                    raise OpsError(
                        f"Scaleway's API cannot be reached ({reason(error)}): check the network and try again"
                    ) from None
            else:
                if allow_missing and response.status_code == 404:
                    return response
                if response.status_code not in retried or tries_left == 1:
                    return _checked(response, path)
            time.sleep(PAUSE_SECONDS * (TRIES + 1 - tries_left))
        raise AssertionError("the last try returns or raises")

    def identity(self) -> tuple[str, str]:
        """Return the owner of the key: ``application_id`` or ``user_id``, and the id."""
        path = f"/iam/v1alpha1/api-keys/{self.access_key}"
        key = self.get(path, ApiKey)
        if key.application_id:
            return "application_id", key.application_id
        return "user_id", parse(str, key.user_id, f"GET {path}", "user_id")

    def storage(self, region: str, project: str = "") -> S3Client:
        """Return an S3 client for the buckets of ``project``, by default of the shared one."""
        import boto3  # noqa: PLC0415 - slow to load
        from botocore.config import Config  # noqa: PLC0415

        return boto3.client(
            "s3",
            endpoint_url=os.environ.get("SCW_S3_ENDPOINT") or f"https://s3.{region}.scw.cloud",
            aws_access_key_id=f"{self.access_key}@{project or self.project}",
            aws_secret_access_key=self.secret_key,
            region_name=region,
            config=Config(
                connect_timeout=5,
                read_timeout=self.patience or 60,
                retries={"total_max_attempts": 2} if self.patience else {"max_attempts": 4},
            ),
        )


def _json(response: httpx.Response, path: str) -> object:
    try:
        return response.json()
    except ValueError:
        raise OpsError(
            f"Scaleway's API answers {path} with something that is not JSON ({response.text[:60]!r}): is a"
            " proxy in between? Check SCW_API_URL and the network, and try again"
        ) from None


def _checked(response: httpx.Response, path: str) -> httpx.Response:
    if response.status_code in (401, 403):
        raise RefusedError(
            f"Scaleway's API refuses the key at {path}: see `labelspace doctor --target scaleway`"
        )
    if response.is_error:
        raise OpsError(f"Scaleway's API answers {response.status_code} to {path}: {response.text[:200]}")
    return response


def find(config: Mapping[str, str] | None = None) -> Account:
    """Return the account of the environment, of a stack's ``config`` or of a profile, in this order.

    Raises ``OpsError`` that names each missing or malformed value.
    """
    try:
        known = credentials.lookup_all(config or {})
    except credentials.NoProfileError as error:
        raise OpsError(f"Scaleway account: {error}") from None
    problems = [_problem(field, known[field]) for field in FORMS]
    if any(problems):
        raise OpsError(
            f"Scaleway account: {'; '.join(filter(None, problems))}: make a key in Scaleway's console (IAM)"
            f" and set them, or choose a profile of {credentials.profile_path()} (SCW_PROFILE)"
        )
    values = {field: known[field][0].value for field in FORMS}
    api = next((one.value for one in known["api"] if one.value), API)
    return Account(values["access_key"], values["secret_key"], values["project"], values["organization"], api)


def _problem(field: str, known: list[credentials.Credential]) -> str:
    if not known:
        return f"{credentials.FIELDS[field].variable} is not set"
    if not known[0].value:
        return f"{known[0].source} is set and empty, which hides every other source: unset it"
    if not re.fullmatch(FORMS[field], known[0].value):
        return f"{known[0].source} has the wrong form ({FORMS[field]})"
    return ""


def for_workspace(name: str, home: Home) -> Account:
    """Return the account of an existing workspace, whose stack may have its own keys; raises ``OpsError``."""
    if all(os.environ.get(credentials.FIELDS[field].variable) for field in FORMS):
        return find()  # the environment wins over the stack, which need not be read
    from labelspace_ops.stack import automation as stack  # noqa: PLC0415 - loads Pulumi

    return find(stack.provider_settings(stack.select(name, home), "scaleway"))

"""The account at Scaleway that a command works in: its keys, its API, its Object Storage."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from labelspace.home import Home
from labelspace.targets.scaleway import credentials
from labelspace_ops.core.errors import OpsError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
FORMS = {"access_key": r"SCW[A-Z0-9]{17}", "secret_key": UUID, "project": UUID, "organization": UUID}
"""What must be known, and its form (Scaleway's SDK)."""
API = "https://api.scaleway.com"
PAGE = 100
PASSES = (429, 500, 502, 503, 504)
"""Answers after which a question is asked again; of these the first alone surely made nothing."""
TRIES, PAUSE_SECONDS = 4, 1.0


class RefusedError(OpsError):
    """The API knows the key, and does not let it."""


@dataclass(frozen=True)
class Account:
    """Keys and where they came from; ids are bare UUIDs."""

    access_key: str
    secret_key: str
    project: str
    """The one of the keys: workspaces without a project of their own share it."""
    organization: str
    api: str = API

    def get(self, path: str, **query: str) -> Any:
        """One GET; raises ``OpsError`` with what to do."""
        return self._call("GET", path, params=query).json()

    def get_or_none(self, path: str) -> Any:
        """One GET of what may not be there: None then."""
        answer = self._call("GET", path, absent=True)
        return None if answer.status_code == 404 else answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """One POST; raises ``OpsError`` with what to do."""
        return self._call("POST", path, json=body).json()

    def delete(self, path: str) -> None:
        """One DELETE; what is not there is gone."""
        self._call("DELETE", path, absent=True)

    def list_all(self, path: str, key: str, **query: str) -> Iterator[Any]:
        """All rows of a list, page after page; the keys, where it is a map."""
        return (row for page in self.pages(path, key, **query) for row in page)

    def pages(self, path: str, key: str, **query: str) -> Iterator[Any]:
        """A list by its pages; the API of Instances has another word for their size, and a header for all."""
        size, page, seen = "per_page" if path.startswith("/instance/") else "page_size", 1, 0
        while True:
            answer = self._call("GET", path, params={"page": str(page), size: str(PAGE), **query})
            body = answer.json()
            yield body[key]
            seen, page = seen + len(body[key]), page + 1
            total = answer.headers.get("x-total-count") or body.get("total_count") or 0
            if not body[key] or seen >= int(total):
                return

    def count(self, path: str, key: str, **query: str) -> int:
        """How many rows a list has."""
        answer = self.get(path, page="1", page_size="1", **query)
        return int(answer.get("total_count", len(answer[key])))

    def _call(self, method: str, path: str, *, absent: bool = False, **given: Any) -> httpx.Response:
        passes = PASSES if method == "GET" else PASSES[:1]
        for again in range(TRIES, 0, -1):
            try:
                answer = httpx.request(
                    method, self.api + path, headers={"X-Auth-Token": self.secret_key}, timeout=20, **given
                )
            except httpx.HTTPError as error:
                if method != "GET" or again == 1:  # what was asked for may have been made
                    raise OpsError(
                        f"Scaleway's API cannot be reached ({error}): check the network and try again"
                    ) from None
            else:
                if absent and answer.status_code == 404:
                    return answer
                if answer.status_code not in passes or again == 1:
                    return _checked(answer, path)
            time.sleep(PAUSE_SECONDS * (TRIES + 1 - again))
        raise AssertionError("the last try returns or raises")

    def identity(self) -> tuple[str, str]:
        """Whose key this is: ``application_id`` or ``user_id``, and the id."""
        key = self.get(f"/iam/v1alpha1/api-keys/{self.access_key}")
        kind = "application_id" if key.get("application_id") else "user_id"
        return kind, str(key[kind])

    def storage(self, region: str, project: str = "") -> S3Client:
        """Object Storage as whoever runs this command; ``project``: whose buckets, else the shared one's."""
        import boto3  # noqa: PLC0415 - heavy, and only asked for here
        from botocore.config import Config  # noqa: PLC0415

        return boto3.client(
            "s3",
            endpoint_url=os.environ.get("SCW_S3_ENDPOINT") or f"https://s3.{region}.scw.cloud",
            aws_access_key_id=f"{self.access_key}@{project or self.project}",
            aws_secret_access_key=self.secret_key,
            region_name=region,
            config=Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 4}),
        )


def _checked(answer: httpx.Response, path: str) -> httpx.Response:
    if answer.status_code in (401, 403):
        raise RefusedError(
            f"Scaleway's API refuses the key at {path}: see `labelspace doctor --target scaleway`"
        )
    if answer.is_error:
        raise OpsError(f"Scaleway's API answers {answer.status_code} to {path}: {answer.text[:200]}")
    return answer


def find(config: Mapping[str, str] | None = None) -> Account:
    """The account of this environment, of a stack's ``config`` or of a profile, in this order.

    Raises ``OpsError`` naming all that is missing or malformed.
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
    return Account(**values, api=api)


def _problem(field: str, known: list[credentials.Credential]) -> str:
    if not known:
        return f"{credentials.FIELDS[field].variable} is not set"
    if not known[0].value:
        return f"{known[0].source} is set and empty, which hides every other place: unset it"
    if not re.fullmatch(FORMS[field], known[0].value):
        return f"{known[0].source} does not look like one ({FORMS[field]})"
    return ""


def for_workspace(name: str, home: Home) -> Account:
    """The account of a workspace that exists: its stack may have keys of its own."""
    if all(os.environ.get(credentials.FIELDS[field].variable) for field in FORMS):
        return find()  # nothing hides the environment: the stack need not be read
    from labelspace_ops.stack import automation as stack  # noqa: PLC0415 - brings Pulumi with it

    return find(stack.provider_settings(stack.select(name, home), "scaleway"))

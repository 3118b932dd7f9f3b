"""State of the double: its resources, its log of calls, and the faults that a test set."""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from testbed.scaleway_api.authorization import Caller

Item = dict[str, Any]
DATABASE_AUTHORITY = (
    "-----BEGIN CERTIFICATE-----\nZG91YmxlLCBub3QgYSBjZXJ0aWZpY2F0ZQ==\n-----END CERTIFICATE-----\n"
)


def new_id() -> str:
    return str(uuid.uuid4())


def access_key() -> str:
    return "SCW" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(17))


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Fault:
    """Answers the next ``times`` calls that match with ``status`` and ``body``; 0 cuts the connection."""

    method: str
    path: str
    """A regular expression, searched for in the path."""
    status: int
    body: Item
    times: int = 1
    after: bool = False
    """The call is carried out first, and only its answer is lost."""

    def matches(self, method: str, path: str) -> bool:
        return self.times > 0 and method == self.method and bool(re.search(self.path, path))


class ApiError(Exception):
    """An error response of the API."""

    def __init__(self, status: int, body: Item) -> None:
        self.status, self.body = status, body

    def response(self) -> Response:
        return JSONResponse(self.body, status_code=self.status)


@dataclass
class Cloud:
    """All resources by kind and id; ``calls`` is the log, ``faults`` what to get wrong next."""

    kinds: dict[str, dict[str, Item]] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    database_authority: str = DATABASE_AUTHORITY
    """PEM of the certificate that every managed database hands out."""
    addresses: list[str] = field(default_factory=list)
    """Public addresses that are given out before those for documentation."""
    sold_out: set[str] = field(default_factory=set)
    """Types of Instances and databases that there are none of."""
    people: dict[str, Caller] = field(default_factory=dict)
    """Owners of access keys that the double did not make."""
    unfinished: dict[str, list[tuple[Item, int]]] = field(default_factory=dict)

    def all(self, kind: str) -> dict[str, Item]:
        return self.kinds.setdefault(kind, {})

    def add(self, kind: str, item: Item, key: str = "id") -> Item:
        self.all(kind)[item[key]] = item
        return item

    def get(self, kind: str, identity: str) -> Item:
        """The resource; one that is under way comes one state nearer with each look."""
        if identity not in self.all(kind):
            raise ApiError(404, missing(kind, identity))
        item = self.all(kind)[identity]
        steps = self.unfinished.get(identity)
        if steps:
            change, looks = steps.pop(0)
            if looks > 1:
                steps.insert(0, (change, looks - 1))
            elif change.get("_gone"):
                self.remove(kind, identity)
                raise ApiError(404, missing(kind, identity))
            else:
                item.update(change)
        return item

    def of_project(self, project: str) -> list[Item]:
        """Everything that is in a project."""
        return [
            item
            for items in self.kinds.values()
            for item in items.values()
            if project in (item.get("project_id"), item.get("project"), item.get("_project"))
        ]

    def later(self, identity: str, change: Item, looks: int = 2) -> None:
        """``change`` comes true after some looks at the resource."""
        self.unfinished.setdefault(identity, []).append((change, looks))

    def remove(self, kind: str, identity: str) -> None:
        if self.all(kind).pop(identity, None) is None:
            raise ApiError(404, missing(kind, identity))
        self.unfinished.pop(identity, None)

    def fault(self, method: str, path: str) -> Fault | None:
        found = next((one for one in self.faults if one.matches(method, path)), None)
        if found:
            found.times -= 1
        return found


NAMED = {"project": "project_id", "snapshot": "instance_snapshot"}
"""Kind -> its name in refusals, where that is another one (``statuses.json``)."""


def missing(kind: str, identity: str) -> Item:
    return {
        "message": "resource is not found",
        "resource": NAMED.get(kind, kind),
        "resource_id": identity,
        "type": "not_found",
    }


def shown(item: Item) -> Item:
    """Without what only the double knows."""
    return {key: value for key, value in item.items() if not key.startswith("_")}

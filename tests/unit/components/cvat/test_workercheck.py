"""When a worker container calls its workspace busy, over a store that answers like Redis."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from labelspace.cvat import config_files


class Store:
    """Lists, sorted sets and hashes by key, as RQ 1.16 keeps them."""

    def __init__(self, **keys: Any) -> None:
        self.keys = {key.replace("__", ":"): value for key, value in keys.items()}

    def smembers(self, key: str) -> set[bytes]:
        return {b"rq:queue:export"} if key == "rq:queues" else set()

    def llen(self, key: str) -> int:
        return len(self.keys.get(key, ()))

    zcard = llen

    def zrange(self, key: str, first: int, last: int) -> list[bytes]:
        return list(self.keys.get(key, ()))

    def hexists(self, key: bytes, field: str) -> bool:
        return field in self.keys.get(key.decode(), ())


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script's own function; only CVAT's image has the client of Redis."""
    monkeypatch.setitem(sys.modules, "redis", ModuleType("redis"))
    scope: dict[str, Any] = {"__name__": "workercheck"}
    exec(compile(config_files.container_file("workercheck.py"), "workercheck.py", "exec"), scope)  # noqa: S102
    return scope["busy"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, False),
        ({"rq__queue__export": [b"a"]}, True),
        ({"rq__wip__export": [b"a"]}, True),
        ({"rq__scheduled__export": [b"a"]}, False),
        ({"rq__scheduled__export": [b"a"], "rq__job__a": {"retries_left": 2}}, True),
    ],
    ids=["idle", "waits", "runs", "planned for later", "waits for its retry"],
)
def test_a_job_that_waits_for_its_retry_keeps_a_workspace_busy(
    busy: Any, keys: dict[str, Any], expected: bool
) -> None:
    assert busy(Store(**keys)) is expected

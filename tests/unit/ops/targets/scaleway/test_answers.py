"""Answers of Scaleway's API that are not as documented end in one sentence, never in a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack.state import Resource
from labelspace_ops.targets.scaleway import (
    account,
    availability,
    database_snapshots,
    doctor,
    orphans,
    permissions,
    quotas,
    retained,
)
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.answers import Server, ServerAnswer, Volume, parse

MINE = Account("SCWAAAAAAAAAAAAAAAAA", "key", "project", "organization")
DATABASE = database_snapshots.Database("fr-par", "db")
VOLUME = Resource(retained.VOLUME, "fr-par-1/volume")

CALLS: dict[str, Callable[[], object]] = {
    "identity": MINE.identity,
    "stock": lambda: availability.sold_out_types(MINE, "fr-par-1"),
    "snapshots": lambda: database_snapshots.snapshots(MINE, DATABASE),
    "take a snapshot": lambda: database_snapshots.take_snapshot(MINE, DATABASE, "last"),
    "orphans": lambda: orphans.find(MINE, "street", "fr-par", "project", []),
    "remove orphans": lambda: orphans.remove(MINE, "street", [VOLUME]),
    "server": lambda: MINE.get_or_none("/instance/v1/zones/fr-par-1/servers/x", ServerAnswer),
    "count": lambda: MINE.count("/account/v3/projects"),
}
CHECKS: dict[str, Callable[[], object]] = {
    "permissions": lambda: permissions.examine(MINE),
    "quotas": lambda: quotas.examine(MINE),
    "reads": lambda: doctor._reads(MINE),
}
SERVER = {"id": "x", "state": "running", "tags": None, "volumes": {"0": {"id": "root"}}, "name": "x"}
KEYS = ("servers", "ips", "volumes", "instances", "snapshots", "server", "quota", "total_count")
BODIES: dict[str, object] = {
    "missing": {},
    "null": None,
    "a list": [],
    "null fields": dict.fromkeys(
        ("servers", "ips", "volumes", "instances", "snapshots", "server", "quota", "total_count")
    ),
    "items without fields": {
        **{key: [{}] for key in ("ips", "volumes", "instances", "snapshots", "groups", "policies", "quota")},
        "servers": {"PRO2-XS": {}},
        "server": {},
        "total_count": "many",
        "references": [{}],
    },
    "items of another type": {
        **dict.fromkeys(("servers", "ips", "volumes", "instances", "snapshots", "groups"), "text"),
        "server": 7,
        "references": 7,
        "user_id": [],
        "total_count": {},
    },
}


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[httpx.Response], None]:
    """Sets the response to every call."""
    monkeypatch.setattr(account, "PAUSE_SECONDS", 0)

    def use(response: httpx.Response) -> None:
        monkeypatch.setattr(httpx, "request", lambda *_, **__: response)

    return use


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_undocumented_answer_names_the_call_and_the_field(
    answer: Callable[[httpx.Response], None], call: Callable[[], object], body: object
) -> None:
    answer(httpx.Response(200, text=json.dumps(body)))
    with pytest.raises(OpsError, match=r"answers (GET|POST) /\S+ without a valid field \S+"):
        call()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_doctor_survives_undocumented_answers(
    answer: Callable[[httpx.Response], None], check: Callable[[], object], body: object
) -> None:
    answer(httpx.Response(200, text=json.dumps(body)))
    assert check()


@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_html_is_reported(
    answer: Callable[[httpx.Response], None], call: Callable[[], object], status: int
) -> None:
    answer(httpx.Response(status, text="<html>proxy</html>"))
    with pytest.raises(OpsError, match="<html>proxy"):
        call()


def test_other_fields_and_null_lists_are_no_error(answer: Callable[[httpx.Response], None]) -> None:
    answer(httpx.Response(200, json={"server": SERVER}))
    found = MINE.get_or_none("/instance/v1/zones/fr-par-1/servers/x", ServerAnswer)
    assert found is not None
    assert found.server == Server(state="running", volumes=found.server.volumes)


def test_a_volume_without_references_is_not_taken_for_a_free_one() -> None:
    fields = {"id": "v", "name": "data", "size": 10, "created_at": "2026-01-01T00:00:00Z"}
    with pytest.raises(OpsError, match="without a valid field references"):
        parse(Volume, {**fields, "references": None}, "GET /volumes")

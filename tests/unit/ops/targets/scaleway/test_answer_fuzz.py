"""Every answer of the double, changed in one place: what reads it ends in a value or in one sentence.

The answers are recorded once from the double, then each call runs against each change of each of them: a
field that is missing, null, of another type or value, an unknown field, HTML, errors, a timeout.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
from testbed.scaleway_api.app import running
from testbed.scaleway_api.cloud import Cloud
from testbed.scaleway_api.iam import grant, limit

from labelspace.spec import ScalewaySpec, validate
from labelspace.targets.scaleway.boot_config import fingerprint
from labelspace.targets.scaleway.cloud_init import DATABASE_CERTIFICATE
from labelspace.targets.scaleway.context import workspace_tag
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack.state import Resource
from labelspace_ops.targets.scaleway import (
    account,
    availability,
    database_certificate,
    database_snapshots,
    doctor,
    orphans,
    permissions,
    quotas,
    retained,
    status,
)
from labelspace_ops.targets.scaleway.account import Account

PROJECT = "11111111-1111-4111-8111-111111111111"
KEY = "SCWAAAAAAAAAAAAAAAAA"
NAME = "street"
USER_DATA = {"cloud-init": f"{DATABASE_CERTIFICATE}={fingerprint('PEM')}"}
OTHER_VALUES: tuple[object, ...] = (None, "", "text", -1, 3.5, True, [], [None], {}, {"a": "b"})
WHOLE: dict[str, Callable[[], httpx.Response]] = {
    "html": lambda: httpx.Response(200, text="<html>proxy</html>"),
    "null": lambda: httpx.Response(200, text="null"),
    "empty": lambda: httpx.Response(200, text=""),
    "list": lambda: httpx.Response(200, text="[]"),
    "401": lambda: httpx.Response(401, json={"type": "denied_authentication"}),
    "403": lambda: httpx.Response(403, text="<html>forbidden</html>"),
    "404": lambda: httpx.Response(404, json={"type": "not_found"}),
    "429": lambda: httpx.Response(429, text="slow down"),
    "500": lambda: httpx.Response(500, text=""),
    "503": lambda: httpx.Response(503, json={"message": "unavailable"}),
}
ERRORS = (httpx.ReadTimeout("timed out"), httpx.ConnectError("refused"), httpx.RemoteProtocolError("cut"))


@dataclass
class World:
    """The double's state as the stack knows it."""

    mine: Account
    resources: list[Resource]
    spec: ScalewaySpec

    def calls(self) -> dict[str, Callable[[], object]]:
        database = database_snapshots.database(self.resources)
        assert database
        outputs = {"running": True, "settings": json.dumps({"name": NAME})}
        found, known = status.Measurement(), self.resources
        return {
            "identity": self.mine.identity,
            "stock": lambda: availability.check(self.mine, self.spec, []),
            "snapshots": lambda: database_snapshots.snapshots(self.mine, database),
            "take a snapshot": lambda: database_snapshots.take_snapshot(self.mine, database, "last"),
            "orphans": lambda: orphans.find(self.mine, NAME, "fr-par", PROJECT, []),
            "remove orphans": lambda: orphans.remove(self.mine, NAME, self.resources),
            "retained volume": lambda: retained.volume_of(self.mine, self.spec, PROJECT, []),
            "retained project": lambda: retained.project_of(self.mine, self.spec, []),
            "permissions": lambda: permissions.examine(self.mine),
            "quotas": lambda: quotas.examine(self.mine),
            "reads": lambda: doctor._reads(self.mine),
            "server status": lambda: status._server(found, self.mine, known, outputs),
            "volume status": lambda: status._volume(found, self.mine, known),
            "certificate": lambda: database_certificate.is_renewed(self.mine, known),
            "snapshot status": lambda: status._snapshots(found, self.mine, known),
        }


@dataclass
class Recorded:
    """An answer of the double to one call."""

    name: str
    path: str
    response: httpx.Response


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    cloud = Cloud()
    cloud.add("access_key", {"access_key": KEY, "application_id": "app"}, "access_key")
    cloud.add("project", {"id": "p", "name": f"other-{NAME}"})
    grant(cloud, "app", "ObjectStorageFullAccess", project=PROJECT)
    limit(cloud, "DEV1-L", {"zone": "fr-par-1", "limit": 2})
    with running(cloud) as address:
        yield _filled(Account(KEY, PROJECT, PROJECT, "organization", f"http://{address}"))


def _filled(mine: Account) -> World:
    def made(path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = httpx.post(mine.api + path, json=body, headers={"X-Auth-Token": mine.secret_key})
        response.raise_for_status()
        return dict(response.json())

    tags = [workspace_tag(NAME)]
    volume = made(
        "/block/v1/zones/fr-par-1/volumes",
        {
            "name": f"labelspace-{NAME}-data",
            "project_id": PROJECT,
            "from_empty": {"size": 10**10},
            "perf_iops": 5000,
            "tags": tags,
        },
    )
    instance = made(
        "/rdb/v1/regions/fr-par/instances",
        {
            "name": f"labelspace-{NAME}",
            "engine": "PostgreSQL-15",
            "node_type": "DB-DEV-S",
            "project_id": PROJECT,
            "volume_type": "sbs_5k",
            "volume_size": 10**10,
            "is_ha_cluster": False,
            "backup_same_region": True,
            "disable_backup": False,
            "user_name": "keeper",
            "password": "Made-for-2026",
            "tags": tags,
        },
    )
    made(f"/rdb/v1/regions/fr-par/instances/{instance['id']}/snapshots", {"name": "one"})
    server = made(
        "/instance/v1/zones/fr-par-1/servers",
        {
            "name": NAME,
            "project": PROJECT,
            "commercial_type": "DEV1-L",
            "image": "i",
            "tags": tags,
            "volumes": {"0": {}, "1": {"id": volume["id"]}},
        },
    )["server"]
    resources = [
        Resource(retained.VOLUME, f"fr-par-1/{volume['id']}"),
        Resource(retained.DATABASE, f"fr-par/{instance['id']}"),
        Resource(retained.SERVER, f"fr-par-1/{server['id']}", outputs={"userData": USER_DATA}),
    ]
    given = {"name": NAME, "buckets": [{"name": NAME}]}
    return World(mine, resources, validate(ScalewaySpec, given))


@pytest.fixture(scope="module")
def recorded(world: World) -> list[Recorded]:
    """The first answer of each path that each call reads."""
    found: list[Recorded] = []
    real = httpx.request
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_snapshots, "POLL_SECONDS", 0)
        for name, call in world.calls().items():

            def record(method: str, url: str, name: str = name, **rest: Any) -> httpx.Response:
                response = real(method, url, **rest)
                found.append(Recorded(name, url.removeprefix(world.mine.api), response))
                return response

            patch.setattr(httpx, "request", record)
            with suppress(OpsError):
                call()
    return list({(one.name, one.path): one for one in reversed(found)}.values())


def _changes(body: Any) -> Iterator[Any]:
    """``body`` with one field or item changed, everywhere that it can be."""
    for path in _paths(body):
        for change in ("missing", "extra", *OTHER_VALUES, "wrong date"):
            changed = copy.deepcopy(body)
            inside = changed
            for key in path[:-1]:
                inside = inside[key]
            if change == "missing":
                del inside[path[-1]]
            elif change == "extra":
                _extend(inside)
            else:
                inside[path[-1]] = "2026-13-45" if change == "wrong date" else change
            yield changed


def _same(response: httpx.Response) -> httpx.Response:
    return response


def _extend(inside: Any) -> None:
    if isinstance(inside, dict):
        inside["a_field_of_tomorrow"] = {"a": 1}
    else:
        inside.append(copy.deepcopy(inside[0]))


def _paths(body: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each field; of a list its first item stands for all, of a map its first twelve."""
    keys: list[Any] = list(body)[:12] if isinstance(body, dict) else []
    if isinstance(body, list):
        keys = list(range(len(body)))[:1]
    for key in keys:
        yield (*prefix, key)
        yield from _paths(body[key], (*prefix, key))


def _survives(call: Callable[[], object], what: object) -> None:
    try:
        call()
    except OpsError as error:
        assert str(error), what
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}: after {str(what)[:300]}") from error


@pytest.fixture
def replayed(
    world: World, recorded: list[Recorded], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str, Callable[[], httpx.Response]], None]:
    """Runs a call whose answer at one path is another, without the network and without waiting."""
    monkeypatch.setattr(account, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(database_snapshots, "POLL_SECONDS", 0)
    monkeypatch.setattr(database_snapshots, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(orphans, "PATIENCE_SECONDS", 0)
    known = {(one.name, one.path): one.response for one in recorded}

    def run(name: str, path: str, answer: Callable[[], httpx.Response]) -> None:
        pages = 0

        def request(_: str, url: str, **__: Any) -> httpx.Response:
            nonlocal pages
            pages += 1
            assert pages < 500, "a wrong total is no reason to ask for ever"
            at = url.removeprefix(world.mine.api)
            return answer() if at == path else known.get((name, at), httpx.Response(404, json={}))

        monkeypatch.setattr(httpx, "request", request)
        _survives(world.calls()[name], f"{path}: {answer()}" if path else "")

    return run


def test_no_change_of_an_answer_ends_in_a_traceback(
    recorded: list[Recorded], replayed: Callable[[str, str, Callable[[], httpx.Response]], None]
) -> None:
    tried = 0
    for one in recorded:
        for body in _changes(one.response.json()):
            response = httpx.Response(200, text=json.dumps(body), headers={"X-Total-Count": "1"})
            replayed(one.name, one.path, partial(_same, response))
            tried += 1
    assert tried > 1000


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
def test_no_other_answer_ends_in_a_traceback(
    answer: Callable[[], httpx.Response],
    recorded: list[Recorded],
    replayed: Callable[[str, str, Callable[[], httpx.Response]], None],
) -> None:
    for one in recorded:
        replayed(one.name, one.path, answer)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_no_lost_connection_ends_in_a_traceback(
    error: Exception, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> httpx.Response:
        raise error

    monkeypatch.setattr(account, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(httpx, "request", lost)
    for call in world.calls().values():
        _survives(call, error)

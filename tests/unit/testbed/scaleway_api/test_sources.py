"""Every call that the double answers has a source, and its status codes are the recorded ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from testbed.scaleway_api.app import running
from testbed.scaleway_api.cloud import Cloud
from testbed.scaleway_api.recorded import STATUSES, pattern
from testbed.scaleway_api.sources import UNRECORDED, calls
from tests.unit.testbed.scaleway_api.test_recorded_shapes import (
    BLOCK,
    INSTANCE,
    PROJECT,
    RDB,
    SECRETS,
    VPC,
    Client,
    _database,
    _identity,
    _network,
    _server,
)

RECORDED: dict[str, dict[str, dict[str, Any]]] = json.loads(STATUSES.read_text())
UNKNOWN = "00000000-0000-4000-8000-000000000000"
PATHS = {
    "instance_security_group": f"{INSTANCE}/security_groups",
    "instance_ip": f"{INSTANCE}/ips",
    "volume": BLOCK,
    "snapshot": f"{RDB}/snapshots",
    "instance": f"{RDB}/instances",
    "private_network": f"{VPC}/private-networks",
    "vpc": f"{VPC}/vpcs",
    "access_key": "/iam/v1alpha1/api-keys",
    "policy": "/iam/v1alpha1/policies",
    "application": "/iam/v1alpha1/applications",
    "secret": SECRETS,
    "project": "/account/v3/projects",
}
"""Kind -> path, in an order in which each may be deleted."""
UNCHANGED = ("snapshot",)
"""Kinds that the double does not change."""


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Client, Cloud]]:
    """What a workspace makes, read and listed."""
    cloud = Cloud()
    with running(cloud) as address:
        client = Client(address)
        network = _network(client)
        _server(client, network)
        _database(client, network)
        _identity(client)
        for path in (*PATHS.values(), f"{INSTANCE}/servers", f"{INSTANCE}/products/servers"):
            client.call("GET", path)
        yield client, cloud


@pytest.fixture(scope="module")
def statuses(made: tuple[Client, Cloud]) -> dict[str, int]:
    """The status code of each call, after everything was changed and deleted."""
    client, cloud = made
    _inside_the_database(client, cloud)
    _inside_the_server(client, cloud)
    for secret in cloud.all("secret"):
        client.call("GET", f"{SECRETS}/{secret}/versions")
        client.call("DELETE", f"{SECRETS}/{secret}/versions/1")
    for kind, path in PATHS.items():
        for identity in list(cloud.all(kind)):
            if kind not in UNCHANGED:
                client.call("PATCH", f"{path}/{identity}", {})
            client.call("DELETE", f"{path}/{identity}")
            if kind == "instance":  # it is deleted at the second look
                for _ in range(2):
                    httpx.get(f"{client.base}{path}/{identity}", headers={"X-Auth-Token": PROJECT})
    return client.statuses


def _inside_the_database(client: Client, cloud: Cloud) -> None:
    (instance,) = cloud.all("instance")
    inside = f"{RDB}/instances/{instance}"
    client.call("PATCH", f"{inside}/users/cvat", {"password": "Made-for-2027"})
    nothing = {"database_name": "cvat", "user_name": "cvat", "permission": "none"}
    client.call("PUT", f"{inside}/privileges", nothing)
    for path in ("users", "databases"):
        client.call("DELETE", f"{inside}/{path}/cvat")
    client.call("PUT", f"{inside}/settings", {"settings": []})
    client.call("POST", f"{inside}/upgrade", {"volume_size": 2 * 10**10})
    client.call("POST", f"{inside}/renew-certificate", {})


def _inside_the_server(client: Client, cloud: Cloud) -> None:
    (server,) = cloud.all("instance_server")
    path = f"{INSTANCE}/servers/{server}"
    client.call("POST", f"{path}/action", {"action": "terminate"})


def test_every_call_is_recorded_or_says_what_describes_it() -> None:
    assert sorted([*RECORDED, *UNRECORDED]) == calls()
    for rows in RECORDED.values():
        for row in rows.values():
            assert re.fullmatch(r"internal/services/\S+\.cassette\.yaml", row["source"])
            assert re.fullmatch(r"202[4-6]-\d\d-\d\d", row["newest"])
    assert all(re.search(r"2026|shapes\.json", source) for source in UNRECORDED.values())


def test_answers_have_the_recorded_status_codes(statuses: dict[str, int]) -> None:
    compared = {}
    for call, rows in RECORDED.items():
        succeeded = {int(status) for status in rows if int(status) < 300}
        for done, status in statuses.items():
            if pattern(call).fullmatch(done):
                compared[call] = status in succeeded, status
    assert [call for call, (same, _) in compared.items() if not same] == []
    assert len(compared) >= 70, sorted(set(RECORDED) - set(compared))


@pytest.mark.parametrize("call", [call for call, rows in RECORDED.items() if "404" in rows])
def test_what_is_missing_is_named_as_recorded(call: str, made: tuple[Client, Cloud]) -> None:
    method, _, path = call.partition(" ")
    for word, text in {"ZONE": "fr-par-1", "REGION": "fr-par", "KEY": "SCWUNKNOWN", "ID": UNKNOWN}.items():
        path = path.replace(word, text)
    answer = httpx.request(method, made[0].base + path, headers={"X-Auth-Token": PROJECT})
    assert answer.status_code == 404
    recorded = RECORDED[call]["404"]
    assert {key: answer.json()[key] for key in ("type", "resource")} == {
        key: recorded[key] for key in ("type", "resource")
    }


WEAK = ("Sh-0rt", "no-digits-Here", "no-upper-case-1", "NO-LOWER-CASE-1", "NoSpecial1234", "A-1" + "a" * 126)


@pytest.fixture
def fresh() -> Iterator[tuple[Client, Cloud]]:
    """A server, a database and what belongs to them."""
    cloud = Cloud()
    with running(cloud) as address:
        client = Client(address)
        network = _network(client)
        _server(client, network)
        _database(client, network)
        yield client, cloud


def refused(client: Client, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
    """Status code and reason of a refusal."""
    answer = httpx.request(method, client.base + path, json=body, headers={"X-Auth-Token": PROJECT})
    said = answer.json() if answer.status_code >= 400 else {}
    return answer.status_code, said.get("help_message") or said.get("message", "")


def test_a_server_that_is_not_powered_off_is_not_deleted(fresh: tuple[Client, Cloud]) -> None:
    client, cloud = fresh
    (server,) = cloud.all("instance_server").values()
    path = f"{INSTANCE}/servers/{server['id']}"
    cloud.unfinished.clear()
    for state in ("running", "stopped in place"):
        server["state"] = state
        assert refused(client, "DELETE", path) == (400, "instance should be powered off")
    server["state"] = "stopped"
    assert refused(client, "DELETE", path) == (204, "")


def test_a_security_group_of_a_server_is_not_deleted(fresh: tuple[Client, Cloud]) -> None:
    client, cloud = fresh
    (group,), (server,) = cloud.all("instance_security_group"), cloud.all("instance_server")
    path = f"{INSTANCE}/security_groups/{group}"
    assert refused(client, "DELETE", path) == (409, "Group is in use. You cannot delete it.")
    cloud.remove("instance_server", server)
    assert refused(client, "DELETE", path) == (204, "")


@pytest.mark.parametrize("password", WEAK)
def test_a_weak_password_of_the_database_is_refused(password: str, fresh: tuple[Client, Cloud]) -> None:
    client, cloud = fresh
    users = f"{RDB}/instances/{next(iter(cloud.all('instance')))}/users"
    assert refused(client, "POST", users, {"name": "ann", "password": password})[0] == 400
    assert refused(client, "PATCH", f"{users}/cvat", {"password": password})[0] == 400


def test_a_protected_secret_is_not_deleted(fresh: tuple[Client, Cloud]) -> None:
    client, _ = fresh
    body = {"name": "s", "project_id": PROJECT, "type": "opaque", "protected": True}
    secret = client.call("POST", SECRETS, body)["id"]
    recorded = RECORDED["DELETE /secret-manager/v1beta1/regions/REGION/secrets/ID"]["412"]
    answer = httpx.delete(f"{client.base}{SECRETS}/{secret}", headers={"X-Auth-Token": PROJECT})
    assert (answer.status_code, answer.json()["precondition"]) == (412, recorded["precondition"])

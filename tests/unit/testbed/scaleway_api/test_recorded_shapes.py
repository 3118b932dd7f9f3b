"""The double's answers have the shapes of the recorded ones (``testbed/scaleway_api/shapes.json``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from testbed.scaleway_api.app import running
from testbed.scaleway_api.cloud import Cloud
from testbed.scaleway_api.recorded import CALLS, TABLE, pattern, shape

PROJECT = "11111111-1111-4111-8111-111111111111"
RECORDED = json.loads(TABLE.read_text())
INSTANCE, BLOCK = "/instance/v1/zones/fr-par-1", "/block/v1/zones/fr-par-1/volumes"
RDB, VPC = "/rdb/v1/regions/fr-par", "/vpc/v2/regions/fr-par"
SECRETS = "/secret-manager/v1beta1/regions/fr-par/secrets"
LEFT_OUT = (
    *(".server.image.", ".qualification", ".engines[].versions[].available_settings[]"),
    ".engines[].versions[].available_init_settings[]",
)
"""Beginnings of fields that recorded answers have and that neither the program nor the provider reads."""


class Client:
    """Calls the double and notes each answer under the call that the table names."""

    def __init__(self, address: str) -> None:
        self.answers: dict[str, Any] = {}
        self.statuses: dict[str, int] = {}
        self.base = f"http://{address}"
        self._patterns = {call: pattern(call) for call in CALLS}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        response = httpx.request(
            method, self.base + path, json=body, headers={"X-Auth-Token": PROJECT}, timeout=10
        )
        assert response.is_success, (method, path, response.text)
        made = f"{method} {path.partition('?')[0]}"
        self.statuses[made] = response.status_code
        for call, one in self._patterns.items():
            if one.fullmatch(made):
                self.answers[call] = response.json()
        return response.json() if response.content else None

    def made(self, path: str, body: dict[str, Any], key: str = "") -> Any:
        """Create something, read it, and return it."""
        answer = self.call("POST", path, body)
        item = answer[key] if key else answer
        self.call("GET", f"{path}/{item['id']}")
        return item


@pytest.fixture(scope="module")
def answers() -> Iterator[dict[str, Any]]:
    """The double's answer to each call of the table."""
    with running(Cloud()) as address:
        client = Client(address)
        network = _network(client)
        _server(client, network)
        _database(client, network)
        _identity(client)
        yield client.answers


def _network(client: Client) -> str:
    owned = {"project_id": PROJECT, "tags": ["a"]}
    vpc = client.made(f"{VPC}/vpcs", {"name": "v", **owned})
    body = {"name": "n", "vpc_id": vpc["id"], "subnets": None, **owned}
    return str(client.made(f"{VPC}/private-networks", body)["id"])


def _server(client: Client, network: str) -> None:
    volume = client.made(
        BLOCK, {"name": "data", "project_id": PROJECT, "from_empty": {"size": 10**10}, "perf_iops": 5000}
    )
    ip = client.made(f"{INSTANCE}/ips", {"project": PROJECT, "type": "routed_ipv4"}, "ip")
    group = {"name": "g", "project": PROJECT, "stateful": True, "enable_default_security": True}
    policies = {"inbound_default_policy": "drop", "outbound_default_policy": "accept"}
    firewall = client.made(f"{INSTANCE}/security_groups", {**group, **policies}, "security_group")
    rule = {"action": "accept", "protocol": "TCP", "direction": "inbound", "ip_range": "0.0.0.0/0"}
    ports = {"dest_port_from": 80, "dest_port_to": None}
    client.call("PUT", f"{INSTANCE}/security_groups/{firewall['id']}/rules", {"rules": [{**rule, **ports}]})
    body = {
        "name": "s",
        "project": PROJECT,
        "commercial_type": "DEV1-L",
        "image": PROJECT,
        "volumes": {"0": {}, "1": {"id": volume["id"]}},
        "public_ips": [ip["id"]],
        "security_group": firewall["id"],
    }
    server = f"{INSTANCE}/servers/{client.made(f'{INSTANCE}/servers', body, 'server')['id']}"
    client.call("PATCH", server, {"name": "s"})
    client.call("GET", f"{server}/user_data")
    client.made(f"{server}/private_nics", {"private_network_id": network}, "private_nic")
    client.call("GET", f"{server}/private_nics")
    client.call("POST", f"{server}/action", {"action": "poweron"})
    client.call("GET", server)
    client.call("GET", f"{INSTANCE}/products/servers/availability")
    client.call("GET", f"{INSTANCE}/ips/{ip['id']}")
    client.call("GET", f"{BLOCK}/{volume['id']}")


def _database(client: Client, network: str) -> None:
    body = {
        "name": "d",
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
        "encryption": {"enabled": True},
        "init_endpoints": [{"private_network": {"private_network_id": network}}],
    }
    instance = client.made(f"{RDB}/instances", body)["id"]
    inside = f"{RDB}/instances/{instance}"
    client.call("GET", f"/ipam/v1/regions/fr-par/ips?resource_id={instance}")
    client.call("POST", f"{inside}/users", {"name": "cvat", "password": "Made-for-2026"})
    client.call("POST", f"{inside}/databases", {"name": "cvat"})
    client.call(
        "PUT",
        f"{inside}/privileges",
        {"database_name": "cvat", "user_name": "cvat", "permission": "all"},
    )
    for name in ("users", "databases", "privileges", "certificate"):
        client.call("GET", f"{inside}/{name}")
    snapshot = client.call("POST", f"{inside}/snapshots", {"name": "one"})
    client.call("GET", f"{RDB}/snapshots/{snapshot['id']}")
    client.call("GET", f"{RDB}/database-engines")


def _identity(client: Client) -> None:
    iam = "/iam/v1alpha1"
    application = client.made(f"{iam}/applications", {"name": "a", "organization_id": PROJECT})["id"]
    rule = {"permission_set_names": ["SecretManagerSecretAccess"], "project_ids": [PROJECT]}
    body = {"name": "p", "application_id": application, "organization_id": PROJECT, "rules": [rule]}
    policy = client.made(f"{iam}/policies", body)["id"]
    client.call("GET", f"{iam}/rules?policy_id={policy}")
    key = client.call("POST", f"{iam}/api-keys", {"application_id": application, "description": ""})
    client.call("GET", f"{iam}/api-keys/{key['access_key']}")
    client.made("/account/v3/projects", {"name": "p", "organization_id": PROJECT})
    secret = client.made(SECRETS, {"name": "s", "project_id": PROJECT, "type": "opaque"})["id"]
    client.call("POST", f"{SECRETS}/{secret}/versions", {"data": "eA=="})
    client.call("GET", f"{SECRETS}/{secret}/versions/latest/access")


def test_every_call_has_a_recording_with_its_source_and_date() -> None:
    assert set(RECORDED) == set(CALLS)
    for row in RECORDED.values():
        assert re.fullmatch(r"internal/services/\S+\.cassette\.yaml", row["source"])
        assert re.fullmatch(r"202[5-6]-\d\d-\d\d", row["newest"])


@pytest.mark.parametrize("call", CALLS)
def test_an_answer_has_the_recorded_fields_with_their_types(call: str, answers: dict[str, Any]) -> None:
    recorded = {path: kinds.rstrip("?").split("|") for path, kinds in RECORDED[call]["fields"].items()}
    here = [(path, kind) for path, kind in shape(answers[call]) if path]
    wrong = {f"{path}: {kind}" for path, kind in here if kind not in recorded.get(path, [])}
    assert not wrong, f"not so in any recorded answer of {RECORDED[call]['source']}"
    always = {path for path, kinds in RECORDED[call]["fields"].items() if not kinds.endswith("?")}
    missing = always - {path for path, _ in here}
    assert {path for path in missing if not path.startswith(LEFT_OUT)} == set()

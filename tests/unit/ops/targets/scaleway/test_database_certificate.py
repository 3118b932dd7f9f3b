"""A certificate of the managed database that was renewed: status says so, and an update mends it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from testbed.scaleway_api.app import running
from testbed.scaleway_api.cloud import Cloud
from tests.unit.components.targets.scaleway.test_cloud_init import example

from labelspace.targets.scaleway import cloud_init
from labelspace_ops.stack.state import Resource
from labelspace_ops.targets.scaleway import database_certificate, retained, status
from labelspace_ops.targets.scaleway.account import Account

PROJECT = "11111111-1111-4111-8111-111111111111"
INSTANCES = "/rdb/v1/regions/fr-par/instances"


class Database:
    """A managed database of the double, and a server that was made with its certificate."""

    def __init__(self, address: str) -> None:
        self.account = Account("SCWAAAAAAAAAAAAAAAAA", PROJECT, PROJECT, PROJECT, f"http://{address}")
        body = {"name": "d", "engine": "PostgreSQL-15", "node_type": "DB-DEV-S", "project_id": PROJECT}
        kind = {
            "volume_type": "sbs_5k",
            "volume_size": 10**10,
            "user_name": "keeper",
            "password": "Made-for-2026",
        }
        flags = {"is_ha_cluster": False, "backup_same_region": True, "disable_backup": False}
        self.id = self.call("POST", INSTANCES, {**body, **kind, **flags}).json()["id"]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        url = self.account.api + path
        answer = httpx.request(method, url, json=body, headers={"X-Auth-Token": PROJECT})
        return answer.raise_for_status()

    def certificate(self) -> str:
        content = self.call("GET", f"{INSTANCES}/{self.id}/certificate").json()["content"]
        return base64.b64decode(content).decode()

    def renew(self) -> None:
        assert self.call("POST", f"{INSTANCES}/{self.id}/renew-certificate", {}).status_code == 204

    def resources(self, certificate: str) -> list[Resource]:
        """The state after an update that read this certificate."""
        text = cloud_init.user_data(example(database_certificate=certificate))
        server = Resource(retained.SERVER, "fr-par-1/s", outputs={"userData": {"cloud-init": text}})
        return [Resource(retained.DATABASE, f"fr-par/{self.id}"), server]

    def checks(self, certificate: str) -> list[str]:
        found = status.Measurement()
        status._database_certificate(found, self.account, "pets", self.resources(certificate))
        return [f"{check.name}: {check.detail}" for check in found.checks if not check.ok]


@pytest.fixture
def database() -> Iterator[Database]:
    with running(Cloud()) as address:
        yield Database(address)


def test_the_certificate_that_the_server_has_is_well(database: Database) -> None:
    assert database.checks(database.certificate()) == []


def test_a_renewed_one_is_named_with_the_command_that_mends_it(database: Database) -> None:
    before = database.certificate()
    database.renew()
    (problem,) = database.checks(before)
    assert problem.startswith("database certificate: it was renewed")
    assert "`labelspace create pets`" in problem
    assert database.checks(database.certificate()) == [], "the server that this update makes"


def test_status_looks_for_it_where_the_database_is_managed(database: Database) -> None:
    def names(kind: str) -> list[str]:
        outputs = {"database": kind, "buckets": []}
        parts = status._account_parts(database.account, "pets", [], outputs, None)  # type: ignore[arg-type]
        return [part.name for part in parts]

    assert "database certificate" in names("managed")
    assert "database certificate" not in names("server")


def test_a_workspace_without_a_server_has_none_to_compare(database: Database) -> None:
    only_database = database.resources("PEM")[:1]
    assert not database_certificate.is_renewed(database.account, only_database)

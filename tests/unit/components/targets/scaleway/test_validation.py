"""What Scaleway's provider does not validate is refused by the spec, before an engine starts.

The rules: existence of types, volume type against node type, passwords, bucket names, database user names,
regions of storage classes, backup frequency and retention, ranges of firewall rules, cloud-init.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from labelspace.cvat.names import DATABASE_USER
from labelspace.outputs import BackupPolicy
from labelspace.spec import ScalewaySpec, SpecError, validate
from labelspace.targets.scaleway import bucket, database
from labelspace.targets.scaleway.prices import BY_SIZE, DATABASES, SERVERS, total

UUID = "11111111-1111-4111-8111-111111111111"
STREET = {"name": "street", "target": "scaleway", "buckets": [{"name": "street"}]}


def spec_of(**changes: Any) -> ScalewaySpec:
    """A complete spec: types are looked up as every command and every program does first."""
    spec = validate(ScalewaySpec, {**STREET, **changes})
    total(spec)
    return spec


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scaleway": {"server_type": "DEV1-S"}}, "scaleway.server_type: 'DEV1-S' is not offered"),
        ({"scaleway": {"server_type": "BASIC2-A4C-16G"}}, "is not offered"),  # arm64
        ({"scaleway": {"database_type": "DB-GP-XS"}}, "scaleway.database_type: 'DB-GP-XS' is not offered"),
        ({"scaleway": {"database_gb": 12}}, "scaleway.database_gb: 12 is refused"),
        ({"scaleway": {"database_gb": 5}}, "scaleway.database_gb: 5 is refused"),
        ({"scaleway": {"data_gb": 4}}, "scaleway.data_gb: 4 is refused"),
        ({"scaleway": {"region": "us-east-1"}}, "scaleway.region: 'us-east-1' is refused"),
        ({"scaleway": {"zone": 2}}, "only 1 can be"),
        ({"scaleway": {"subnet_cidr": "10.213.4.0/24"}}, "Docker"),
        ({"scaleway": {"subnet_cidr": "10.37.0.0/19"}}, "/20 to /29"),
        ({"scaleway": {"subnet_cidr": "10.37.0.0/30"}}, "/20 to /29"),
        ({"scaleway": {"subnet_cidr": "127.0.0.0/24"}}, "private IPv4 network"),
        ({"scaleway": {"subnet_cidr": "100.64.0.0/24"}}, "private IPv4 network"),
        ({"scaleway": {"subnet_cidr": "10.37.0.0/24", "database": "server"}}, "leave subnet_cidr out"),
        ({"scaleway": {"subnet_cidr": "8.8.8.0/24"}}, "private IPv4 network"),
        ({"scaleway": {"ssh_cidrs": ["203.0.113.7/24"]}}, "give a network"),
        ({"scaleway": {"ssh_cidrs": ["203.0.113.0/33"]}}, "give a network"),
        ({"scaleway": {"ssh_cidrs": ["0.0.0.0/0"]}}, "open port 22 to everybody"),
        ({"scaleway": {"ssh_cidrs": ["::/0"]}}, "open port 22 to everybody"),
        ({"scaleway": {"domain": "a b"}}, "host name"),
        ({"scaleway": {"domain": "myexample.org", "dns_zone": "example.org"}}, "is not in dns_zone"),
        ({"scaleway": {"project": "mine"}}, "scaleway.project: 'mine' is refused"),
        ({"scaleway": {"adopt_project": "x", "project": "own"}}, "scaleway.adopt_project: 'x' is refused"),
        ({"scaleway": {"adopt_volume": "fr-par-1/x"}}, "scaleway.adopt_volume: 'fr-par-1/x' is refused"),
        ({"scaleway": {"deployers": ["ann"]}}, "scaleway.deployers.0: 'ann' is refused"),
        ({"scaleway": {"deployers": f"group_id:{UUID}"}}, "name their members"),
        ({"backup": {"retention_days": 0}}, "backup.retention_days: 0 is refused"),
        ({"backup": {"retention_days": 366}}, "backup.retention_days: 366 is refused"),
        ({"buckets": [{"name": "a.b"}]}, "a dot breaks the certificate"),
        ({"buckets": [{"name": "Street"}]}, "lowercase"),
        ({"buckets": [{"name": "st"}]}, "3 to 63"),
        ({"buckets": [{"name": "x" * 64}]}, "3 to 63"),
        ({"buckets": [{"name": "street-"}]}, "a letter or digit at both ends"),
        ({"buckets": [{"name": "street"}, {"name": "street"}]}, "named twice"),
        ({"buckets": [{"name": "street", "endpoint": "https://s3.example.org"}]}, "leave endpoint out"),
    ],
)
def test_it_is_refused_with_field_value_and_next_step(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError) as refused:
        spec_of(**changes)
    assert said in str(refused.value)


@pytest.mark.parametrize("network", ["203.0.113.7/32", "203.0.113.0/24", "2001:db8::/48"])
def test_networks_of_admins_are_taken(network: str) -> None:
    assert spec_of(scaleway={"ssh_cidrs": [network]}).scaleway.ssh_cidrs == (network,)


def test_every_size_has_types_that_are_in_the_table() -> None:
    assert {server for server, _ in BY_SIZE.values()} <= SERVERS.keys()
    assert {node for _, node in BY_SIZE.values()} <= DATABASES.keys()


def test_no_type_is_offered_that_takes_no_block_storage_or_has_reached_its_end() -> None:
    """The database's volume is of ``sbs_5k``, which each generation here takes; START1, VC1, X64 are over."""
    assert all(node.startswith(("DB-DEV-", "DB-PLAY2-", "DB-PRO2-", "DB-POP2-")) for node in DATABASES)
    assert not [name for name in SERVERS if name.startswith(("START1", "VC1", "X64", "BASIC2", "STANDARD2"))]


@given(st.text(st.sampled_from("abcXYZ019"), min_size=8, max_size=100))
def test_every_password_has_what_scaleway_asks_for(made: str) -> None:
    loop = asyncio.new_event_loop()  # `asyncio.run` would take the thread's from the tests that follow
    text = loop.run_until_complete(_value(made))
    loop.close()
    assert 8 <= len(text) <= 128
    for kind in (r"[a-z]", r"[A-Z]", r"[0-9]", r"[!@#$%^&*()_+\-=\[\]{}|;:,.<>?]"):
        assert re.search(kind, text)


async def _value(made: str) -> str:
    return str(await database.complex_enough(made).future())


@pytest.mark.parametrize("user", [database.KEEPER, DATABASE_USER])
def test_users_of_the_database_are_named_as_scaleway_asks(user: str) -> None:
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,62}", user)


def test_snapshots_are_taken_daily() -> None:
    assert 1 <= database.SNAPSHOT_HOURS <= 24


def test_no_object_is_moved_to_a_class_that_a_region_lacks() -> None:
    for rule in bucket._lifecycle(bucket.Lifetime(7, 7)):
        assert rule.transitions is None
        assert rule.noncurrent_version_transitions is None


def test_a_backup_is_gone_after_the_days_that_are_stated() -> None:
    """A dump expires after the retention, its old version after ``old_versions_days``, then its marker."""
    spec = spec_of(backup={"retention_days": 9}, scaleway={"old_versions_days": 3})
    rules: dict[Any, Any] = {rule.id: rule for rule in bucket._lifecycle(bucket.Lifetime(3, 9))}
    assert rules["dumps"].expiration.days == 9
    assert rules["old-versions"].noncurrent_version_expiration.noncurrent_days == 3
    assert rules["delete-markers"].expiration.expired_object_delete_marker is True
    kept = BackupPolicy("", "", spec.backup.retention_days, spec.scaleway.old_versions_days).summary()
    assert kept["keep"] == "9 days, then 3 days as old versions"


def test_a_policy_is_json_with_resources_that_name_no_arn() -> None:
    text = bucket.policy_json("street", "a", ("user_id:b",), bucket.READ)
    assert yaml.safe_load(text)["Statement"][0]["Resource"] == ["street", "street/*"]


def test_strangers_make_accounts_only_when_that_is_asked_for() -> None:
    assert spec_of().registration == "closed"
    assert spec_of(registration="open").registration == "open"

"""What the program declares on Scaleway, without the engine: network, rights, buckets."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc
from tests.e2e.cloud import ACCOUNT

from labelspace import SpecError, Workspace
from labelspace.cvat import caddy
from labelspace.spec import ScalewaySpec, validate
from labelspace.targets.scaleway import prices

ANN, BOB = (f"user_id:{digit * 8}-1111-4111-8111-111111111111" for digit in "12")
ADDRESS = "203.0.113.7"
BASE: dict[str, Any] = {"name": "w", "target": "scaleway", "buckets": [{"name": "one"}]}
OWN: dict[str, Any] = {"database": "server"}
KEY = {"backup": {"encryption_key": "x" * 40}}

Declared = list[tuple[str, dict[str, Any]]]


class Cloud(pulumi.runtime.Mocks):
    """Makes every resource, with ids as Scaleway's provider gives them, and keeps type and inputs."""

    def __init__(self) -> None:
        self.declared: Declared = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.declared.append((args.typ, dict(args.inputs)))
        made = {"result": "Made-2026", "address": ADDRESS, "accessKey": "SCWX", "secretKey": "made"}
        return f"fr-par/{args.name}-id", {**args.inputs, **made}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise AssertionError(args.token)


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    for key, value in ACCOUNT.items():
        monkeypatch.setenv(key, value)


def program(scaleway: dict[str, Any], **more: Any) -> Cloud:
    """The program of a workspace with these settings, run to its end."""
    cloud = Cloud()
    pulumi.runtime.set_mocks(cloud, project="labelspace", stack="w")

    @pulumi.runtime.test  # type: ignore[untyped-decorator] # the SDK leaves it without types
    def run() -> None:
        given = {"wait_minutes": 0, "trial_hostname": True, **scaleway}
        Workspace("w", **{**BASE, **more, "scaleway": given})

    run()
    return cloud


def of(cloud: Cloud, kind: str) -> list[dict[str, Any]]:
    """The inputs of all resources of one type of Scaleway's provider."""
    return [inputs for name, inputs in cloud.declared if name == f"scaleway:{kind}"]


def test_a_managed_database_has_a_private_network_in_a_vpc_of_its_own() -> None:
    made = program({})
    (vpc,), (network,) = of(made, "network/vpc:Vpc"), of(made, "network/privateNetwork:PrivateNetwork")
    (server,) = of(made, "instance/server:Server")
    assert "enableRouting" not in vpc, "it is on, and cannot be turned off"
    assert network["vpcId"].endswith("w-vpc-id")
    assert "ipv4Subnet" not in network
    assert server["privateNetworks"] == [{"pnId": "fr-par/w-network-id"}]


def test_a_subnet_is_used_when_it_is_set() -> None:
    (network,) = of(program({"subnet_cidr": "10.37.0.0/24"}), "network/privateNetwork:PrivateNetwork")
    assert network["ipv4Subnet"] == {"subnet": "10.37.0.0/24"}


def test_a_database_on_the_server_needs_no_private_network() -> None:
    made = program(OWN, **KEY)
    assert not of(made, "network/vpc:Vpc")
    assert not of(made, "network/privateNetwork:PrivateNetwork")
    (server,) = of(made, "instance/server:Server")
    assert server.get("privateNetworks", []) == []


def test_the_servers_key_reads_its_own_secret_from_its_own_address() -> None:
    (policy,) = of(program({}), "iam/policy:Policy")
    storage, secret = policy["rules"]
    assert storage["condition"] == f"request.ip == '{ADDRESS}'"
    assert secret["permissionSetNames"] == ["SecretManagerSecretAccess"]
    assert secret["condition"] == f"request.ip == '{ADDRESS}' && resource.id == 'w-secrets-id'"
    assert "SecretManagerSecretAccess" not in storage["permissionSetNames"]


def test_every_bucket_names_all_deployers() -> None:
    policies = of(program({"deployers": [ANN, BOB]}), "object/bucketPolicy:BucketPolicy")
    assert len(policies) == 2
    for policy in policies:
        statements = json.loads(policy["policy"])["Statement"]
        everything = [one["Principal"]["SCW"] for one in statements if one["Action"] == ["s3:*"]]
        assert everything == [[ANN, BOB]]


@pytest.mark.parametrize(
    ("settings", "more", "dumps"), [({}, {}, 9), (OWN, KEY, None)], ids=["managed", "server"]
)
def test_backups_expire_as_the_output_says(
    settings: dict[str, Any], more: dict[str, Any], dumps: int | None
) -> None:
    backup = {**more.get("backup", {}), "retention_days": 9}
    made = program({**settings, "old_versions_days": 3}, backup=backup)
    (bucket,) = [one for one in of(made, "object/bucket:Bucket") if one["name"].endswith("-backups")]
    rules = {rule["id"]: rule for rule in bucket["lifecycleRules"]}
    assert rules["old-versions"]["noncurrentVersionExpiration"] == {"noncurrentDays": 3}
    assert rules["delete-markers"]["expiration"] == {"expiredObjectDeleteMarker": True}
    assert rules.get("dumps", {}).get("expiration") == ({"days": dumps} if dumps else None)


def test_without_a_domain_a_trial_must_be_asked_for() -> None:
    with pytest.raises(SpecError, match=r"scaleway.domain: missing.*trial_hostname=true"):
        program({"trial_hostname": False})
    assert program({"trial_hostname": False, "domain": "labels.example.org"}).declared


AUTHORITY = "https://acme.example.org/directory"
BOUND = {"acme_directory": AUTHORITY, "acme_eab_key_id": "key-1", "acme_eab_hmac": "c2VjcmV0LW1hYw=="}


def _plain(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and "value" in value else value


def user_data_of(made: Cloud) -> str:
    (server,) = of(made, "instance/server:Server")
    return str(_plain(server["userData"])["cloud-init"])


def stash_of(made: Cloud) -> dict[str, Any]:
    (stash,) = [inputs for name, inputs in made.declared if name == "pulumi:index:Stash"]
    return stash


def secret_files_of(made: Cloud) -> dict[str, str]:
    (version,) = of(made, "secrets/version:Version")
    return dict(json.loads(_plain(version["data"])))


def test_the_account_at_the_authority_reaches_caddy_by_secret_manager_alone() -> None:
    made = program(BOUND)
    lines = [text for text in secret_files_of(made).values() if str(text).startswith("eab ")]
    assert lines == ["eab key-1 c2VjcmV0LW1hYw\n"], "Caddy reads base64url without padding"
    assert f"import {caddy.ACCOUNT}" in user_data_of(made)
    assert "c2VjcmV0LW1hYw" not in user_data_of(made)


def test_the_account_may_be_an_output() -> None:
    late, plain = (
        program({**BOUND, "acme_eab_hmac": pulumi.Output.secret(BOUND["acme_eab_hmac"])}),
        program(BOUND),
    )
    assert secret_files_of(late) == secret_files_of(plain)
    assert user_data_of(late) == user_data_of(plain)


@pytest.mark.parametrize("changed", [{"acme_eab_key_id": "key-2"}, {"acme_eab_hmac": "b3RoZXItbWFj"}])
def test_a_corrected_account_replaces_the_server_and_user_data_stays_secret(changed: dict[str, str]) -> None:
    before, after = program(BOUND), program({**BOUND, **changed})
    assert user_data_of(before) != user_data_of(after)
    assert _plain(stash_of(before)["input"]) != _plain(stash_of(after)["input"]), "containers stop in order"
    (server,) = of(after, "instance/server:Server")
    assert rpc._special_sig_key in server["userData"]


def test_without_an_account_user_data_says_nothing_of_one() -> None:
    assert "ACME_ACCOUNT" not in user_data_of(program({"acme_directory": AUTHORITY}))


def test_a_second_authority_is_asked_after_lets_encrypt() -> None:
    first, second = "cert_issuer acme\n", f"cert_issuer acme {{\n\t\tdir {AUTHORITY}\n"
    both = caddy.caddyfile(80, "closed", caddy.Https("a.example.org", AUTHORITY, after_lets_encrypt=True))
    assert 0 < both.index(first) < both.index(second)
    alone = caddy.caddyfile(80, "closed", caddy.Https("a.example.org", AUTHORITY, account="eab key-1 mac\n"))
    assert first not in alone
    assert second in alone
    assert "mac" not in alone


BILLED = {
    "instance/server:Server": "server",
    "databases/instance:Instance": "database",
    "block/volume:Volume": "volumes",
    "instance/ip:Ip": "address",
    "secrets/version:Version": "secret",
}
"""Type of resource -> the beginning of its part's name in the table; volumes include the server's own."""
BY_CONTENT = {"object/bucket:Bucket"}
"""Billed by what is stored in them: on top of the sum."""
FREE = {
    *("account/project:Project", "network/vpc:Vpc", "network/privateNetwork:PrivateNetwork"),
    *("instance/securityGroup:SecurityGroup", "instance/securityGroupRules:SecurityGroupRules"),
    *("iam/application:Application", "iam/policy:Policy", "iam/apiKey:ApiKey", "secrets/secret:Secret"),
    *("databases/database:Database", "databases/user:User", "databases/privilege:Privilege"),
    *("object/bucketPolicy:BucketPolicy", "domain/record:Record"),
}
EVERYTHING = {
    "project": "own",
    "deployers": [ANN],
    "domain": "labels.example.org",
    "dns_zone": "example.org",
    "trial_hostname": False,
}


@pytest.mark.parametrize(("settings", "more"), [({}, {}), (OWN, KEY)], ids=["managed", "server"])
def test_every_resource_that_is_billed_has_its_part_in_the_price(
    settings: dict[str, Any], more: dict[str, Any]
) -> None:
    made = program({**EVERYTHING, **settings}, **more)
    kinds = [kind.partition(":")[2] for kind, _ in made.declared if kind.startswith("scaleway:")]
    assert set(kinds) <= {*BILLED, *BY_CONTENT, *FREE}, "is it billed?"
    billed = sorted(BILLED[kind] for kind in kinds if kind in BILLED)
    spec = validate(ScalewaySpec, {**BASE, **more, "scaleway": {**EVERYTHING, **settings}})
    parts = [part.name.split()[0].rstrip(",") for part in prices.monthly_cost(spec)]
    assert sorted(part for part in parts if part != "snapshots") == billed

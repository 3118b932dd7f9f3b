"""The double evaluates IAM and bucket policies as Scaleway documents them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from testbed.scaleway_api.app import running
from testbed.scaleway_api.authorization import POLICY_VERSION, Caller, policy_problem
from testbed.scaleway_api.cloud import Cloud

PROJECT = "11111111-1111-4111-8111-111111111111"
ANN, BOB, OWNER = "user_id:ann", "user_id:bob", "user_id:owner"
KEYS = {ANN: "SCWANN", BOB: "SCWBOB", OWNER: "SCWOWNER"}


def policy(*people: str, actions: tuple[str, ...] = ("s3:*",)) -> str:
    resources = ["street", "street/*"]
    statement = {"Effect": "Allow", "Principal": {"SCW": list(people)}, "Action": list(actions)}
    return json.dumps({"Version": POLICY_VERSION, "Statement": [{**statement, "Resource": resources}]})


@pytest.fixture
def cloud() -> Cloud:
    people = {key: Caller(who, is_owner=who == OWNER) for who, key in KEYS.items()}
    made = Cloud(people=people)
    made.add("bucket", {"id": "street", "_project": PROJECT, "objects": 0})
    return made


@pytest.fixture
def address(cloud: Cloud) -> Iterator[str]:
    with running(cloud) as one:
        yield one


def s3(address: str, who: str, key: str = "") -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"http://{address}",
        aws_access_key_id=f"{key or KEYS[who]}@{PROJECT}",
        aws_secret_access_key="x",
        region_name="fr-par",
    )


def code(call: Callable[..., object], **arguments: object) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_a_policy_locks_out_everybody_else(address: str) -> None:
    ann, bob, owner = (s3(address, who) for who in (ANN, BOB, OWNER))
    assert code(bob.list_objects_v2, Bucket="street") == ""
    assert code(ann.put_bucket_policy, Bucket="street", Policy=policy(ANN)) == ""
    assert code(ann.list_objects_v2, Bucket="street") == ""
    assert code(bob.list_objects_v2, Bucket="street") == "AccessDenied"
    assert code(bob.get_bucket_policy, Bucket="street") == "AccessDenied"
    assert code(owner.list_objects_v2, Bucket="street") == "AccessDenied"
    assert code(owner.delete_bucket_policy, Bucket="street") == ""
    assert code(bob.list_objects_v2, Bucket="street") == ""


def test_an_unknown_key_is_refused(address: str) -> None:
    assert code(s3(address, ANN, "SCWNOBODY").list_objects_v2, Bucket="street") == "InvalidAccessKeyId"


def test_a_policy_gives_nothing_that_iam_does_not(cloud: Cloud, address: str) -> None:
    cloud.people[KEYS[BOB]] = Caller(BOB, frozenset({"ObjectStorageObjectsRead"}))
    cloud.all("bucket")["street"]["policy"] = policy(BOB)
    bob = s3(address, BOB)
    assert code(bob.list_objects_v2, Bucket="street") == ""
    assert code(bob.put_bucket_tagging, Bucket="street", Tagging={"TagSet": []}) == "AccessDenied"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (policy(ANN), ""),
        (policy(ANN).replace(POLICY_VERSION, "2012-10-17"), "is supported in the bucket-policy versions"),
        (policy(ANN).replace('"street"', '"arn:aws:s3:::street"'), "invalid resource"),
        (policy(ANN, actions=("s3:HeadObject",)), "invalid action"),
        (policy("group_id:people"), "invalid principal"),
    ],
)
def test_malformed_policies_are_refused(text: str, problem: str) -> None:
    found = policy_problem("street", text)
    assert problem in found
    assert bool(found) == bool(problem)


def test_a_servers_key_reads_its_own_secret_alone(cloud: Cloud, address: str) -> None:
    condition = "request.ip == '127.0.0.1' && resource.id == 'own'"
    rule = {"permission_set_names": ["SecretManagerSecretAccess"], "project_ids": [PROJECT]}
    cloud.add("policy", {"id": "p", "application_id": "a", "_rules": [{**rule, "condition": condition}]})
    key = {"access_key": "SCWSERVER", "application_id": "a", "_secret_key": "token"}
    cloud.add("access_key", key, "access_key")
    for name in ("own", "other"):
        version = {"revision": 1, "_data": ""}
        cloud.add("secret", {"id": name, "project_id": PROJECT, "_versions": [version]})

    def status(path: str) -> int:
        return httpx.get(f"http://{address}{path}", headers={"X-Auth-Token": "token"}).status_code

    secrets = "/secret-manager/v1beta1/regions/fr-par/secrets"
    assert status(f"{secrets}/own/versions/latest/access") == 200
    assert status(f"{secrets}/other/versions/latest/access") == 403
    assert status(secrets) == 403
    assert status("/instance/v1/zones/fr-par-1/servers") == 403


def test_a_persons_application_calls_what_its_permission_sets_allow(cloud: Cloud, address: str) -> None:
    rule = {"permission_set_names": ["InstancesFullAccess"], "project_ids": [PROJECT], "condition": ""}
    cloud.add("policy", {"id": "p", "application_id": "a", "_rules": [rule]})
    key = {"access_key": "SCWPERSON", "application_id": "a", "_secret_key": "token"}
    cloud.add("access_key", key, "access_key")

    def status(path: str) -> int:
        return httpx.get(f"http://{address}{path}", headers={"X-Auth-Token": "token"}).status_code

    assert status("/instance/v1/zones/fr-par-1/servers") == 200
    assert status("/rdb/v1/regions/fr-par/instances") == 403
    assert status("/iam/v1alpha1/applications") == 403


def test_a_condition_that_the_double_cannot_evaluate_is_refused(address: str) -> None:
    rule = {"permission_set_names": ["SecretManagerSecretAccess"], "condition": "resource.tag == 'a'"}
    body = {"name": "p", "application_id": "a", "rules": [rule]}
    made = httpx.post(f"http://{address}/iam/v1alpha1/policies", json=body, headers={"X-Auth-Token": "x"})
    assert made.status_code == 400

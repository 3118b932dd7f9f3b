"""Who calls the double, and what IAM and bucket policies let the caller do.

Sources: Scaleway's pages on permission sets, on policy conditions (request level and resource level,
2026-07-13), on bucket policies (2025-07-30), and recorded refusals of malformed policies
(gkrost/scaleway-ops-mcp-server, 2026-08-18).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from testbed.scaleway_api.cloud import ApiError, Cloud, Item

FULL = "ObjectStorageFullAccess"
SETS = {
    "s3:GetObject": {"ObjectStorageObjectsRead", "ObjectStorageReadOnly", FULL},
    "s3:ListBucket": {"ObjectStorageObjectsRead", "ObjectStorageReadOnly", FULL},
    "s3:PutObject": {"ObjectStorageObjectsWrite", FULL},
    "s3:DeleteObject": {"ObjectStorageObjectsDelete", FULL},
    "s3:HeadBucket": {"ObjectStorageBucketsRead", "ObjectStorageReadOnly", FULL},
    "s3:GetBucketConfiguration": {"ObjectStorageBucketsRead", "ObjectStorageReadOnly", FULL},
    "s3:PutBucketConfiguration": {"ObjectStorageBucketsWrite", FULL},
    "s3:BucketPolicy": {"ObjectStorageBucketPolicyFullAccess", FULL},
    "s3:CreateBucket": {"ObjectStorageBucketsWrite", FULL},
    "s3:DeleteBucket": {"ObjectStorageBucketsDelete", FULL},
}
"""Action -> the permission sets of IAM that give it; the settings of a bucket are one action here."""
CALLS = {
    "/instance/": {"InstancesFullAccess"},
    "/marketplace/": {"InstancesFullAccess"},
    "/block/": {"BlockStorageFullAccess"},
    "/vpc/": {"VPCFullAccess", "PrivateNetworksFullAccess"},
    "/ipam/": {"IPAMReadOnly"},
    "/rdb/": {"RelationalDatabasesFullAccess"},
    "/secret-manager/": {"SecretManagerFullAccess"},
    "/iam/v1alpha1/applications": {"IAMApplicationManager"},
    "/iam/v1alpha1/api-keys": {"IAMApplicationManager"},
    "/iam/v1alpha1/policies": {"IAMPolicyManager"},
    "/iam/v1alpha1/rules": {"IAMPolicyManager"},
}
"""Beginning of a path -> the permission sets of IAM that allow calls there."""
NAMED_IN_POLICIES = {"s3:HeadBucket": "s3:ListBucket"}
"""Action that policies have no name for -> the one that they allow it by."""
CLAUSE = re.compile(r"(request\.ip|resource\.id) == '([^']*)'")
"""What the double reads of CEL; a condition with anything else is refused."""
POLICY_VERSION = "2023-04-17"


@dataclass(frozen=True)
class Caller:
    """The owner of an API key."""

    principal: str
    """``user_id:UUID`` or ``application_id:UUID``."""
    sets: frozenset[str] = frozenset({FULL})
    """Permission sets in every project, besides those that the double's policies give."""
    is_owner: bool = False
    """Owner of the organization."""


OWNER = Caller("user_id:00000000-0000-4000-8000-000000000000", is_owner=True)


def by_key(cloud: Cloud, access_key: str) -> Caller | None:
    """The caller with this access key; None for an unknown key."""
    if access_key in cloud.people:
        return cloud.people[access_key]
    made = cloud.all("access_key").get(access_key)
    if made is None:
        return None
    return Caller(f"application_id:{made['application_id']}", frozenset())


def by_token(cloud: Cloud, secret_key: str) -> Caller | None:
    """The application whose key the double made; None for the keys of people, which may do everything."""
    for key in cloud.all("access_key").values():
        if key.get("_secret_key") == secret_key:
            return Caller(f"application_id:{key['application_id']}", frozenset())
    return None


def check_condition(condition: str) -> None:
    """Raise for a condition that the double cannot evaluate."""
    if condition and not all(map(CLAUSE.fullmatch, condition.split(" && "))):
        raise ApiError(400, {"type": "invalid_arguments", "message": f"invalid condition: {condition}"})


def granted(cloud: Cloud, caller: Caller, project: str, *, ip: str, resource: str = "") -> Iterator[str]:
    """The permission sets that the caller has in a project, from an address and for a resource."""
    yield from caller.sets
    kind, _, identity = caller.principal.partition(":")
    for policy in cloud.all("policy").values():
        if policy.get(kind) != identity:
            continue
        for rule in policy["_rules"]:
            is_here = project in (rule.get("project_ids") or [project])
            if is_here and _is_met(rule.get("condition") or "", {"request.ip": ip, "resource.id": resource}):
                yield from rule["permission_set_names"]


def may_call(cloud: Cloud, caller: Caller, path: str) -> bool:
    """Whether a policy of the caller, for whatever project, grants a set that allows calls below a path."""
    kind, _, identity = caller.principal.partition(":")
    mine = (policy for policy in cloud.all("policy").values() if policy.get(kind) == identity)
    sets = {name for policy in mine for rule in policy["_rules"] for name in rule["permission_set_names"]}
    return any(path.startswith(start) and sets & allowed for start, allowed in CALLS.items())


def _is_met(condition: str, values: dict[str, str]) -> bool:
    return all(values[name] == wanted for name, wanted in CLAUSE.findall(condition))


def may_use_bucket(cloud: Cloud, caller: Caller, bucket: Item, action: str, *, key: str, ip: str) -> bool:
    """Whether IAM and the bucket's policy, if it has one, both allow the action."""
    sets = set(granted(cloud, caller, bucket["_project"], ip=ip))
    by_iam = caller.is_owner or bool(sets & SETS[action])
    if not by_iam or "policy" not in bucket:
        return by_iam
    if caller.is_owner and action == "s3:BucketPolicy":
        return True
    name = f"{bucket['id']}/{key}" if key else bucket["id"]
    return any(
        _allows(statement, caller, NAMED_IN_POLICIES.get(action, action), name)
        for statement in json.loads(bucket["policy"])["Statement"]
    )


def _allows(statement: Item, caller: Caller, action: str, name: str) -> bool:
    principals = _many(statement["Principal"]["SCW"])
    actions, resources = _many(statement["Action"]), _many(statement["Resource"])
    return (
        statement["Effect"] == "Allow"
        and bool({"*", caller.principal} & {*principals})
        and bool({"s3:*", action} & {*actions})
        and any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), name) for one in resources)
    )


def _many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def policy_problem(bucket: str, text: str) -> str:
    """Why a bucket policy is refused; empty for a good one."""
    policy = json.loads(text)
    if policy.get("Version") != POLICY_VERSION:
        return f"application_id Principal is supported in the bucket-policy versions {POLICY_VERSION}"
    for statement in policy["Statement"]:
        if not all(one == bucket or one.startswith(f"{bucket}/") for one in _many(statement["Resource"])):
            return "Policy has invalid resource"
        if {"s3:HeadObject", "s3:HeadBucket"} & {*_many(statement["Action"])}:
            return "Policy has invalid action"
        if not all(map(_is_principal, _many(statement["Principal"]["SCW"]))):
            return "Policy has invalid principal"
    return ""


def _is_principal(text: str) -> bool:
    return text == "*" or text.partition(":")[0] in ("user_id", "application_id")


def check_rules(rules: Iterable[Item]) -> None:
    """Raise for the rules of a policy that the double cannot evaluate."""
    for rule in rules:
        check_condition(rule.get("condition") or "")

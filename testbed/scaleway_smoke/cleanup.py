"""Removes everything of a smoke run: all that is in its own project, its IAM applications, the project."""

from __future__ import annotations

import time
from collections.abc import Iterator

from botocore.exceptions import ClientError

from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.answers import Answer, Named, ServerAnswer
from testbed.scaleway_smoke.trial import REGION, Names

INSTANCE, BLOCK = f"/instance/v1/zones/{REGION}-1", f"/block/v1/zones/{REGION}-1"
RDB, VPC = f"/rdb/v1/regions/{REGION}", f"/vpc/v2/regions/{REGION}"
SECRETS, IAM = f"/secret-manager/v1beta1/regions/{REGION}/secrets", "/iam/v1alpha1"
PAUSE_SECONDS = 5.0
LISTS = (
    (f"{INSTANCE}/servers", "servers"),
    (f"{RDB}/instances", "instances"),
    (f"{RDB}/snapshots", "snapshots"),
    (f"{VPC}/private-networks", "private_networks"),
    (f"{VPC}/vpcs", "vpcs"),
    (f"{INSTANCE}/ips", "ips"),
    (f"{INSTANCE}/security_groups", "security_groups"),
    (f"{BLOCK}/volumes", "volumes"),
    (SECRETS, "secrets"),
)
"""Path and key of each list, in the order of removal (paths of Scaleway's SDK for Go)."""


class Found(Answer):
    """Anything of the project."""

    id: str
    is_default: bool = False
    project_default: bool = False

    @property
    def is_projects_own(self) -> bool:
        """Whether the project has it without anybody having made it; it goes with the project."""
        return self.is_default or self.project_default


class Key(Answer):
    """An API key in a list."""

    access_key: str


def remove_all(account: Account, names: Names, patience: float) -> tuple[list[str], list[str]]:
    """Return what was removed and what is left with the reason; ask again for ``patience`` seconds."""
    removed, deadline = set[str](), time.monotonic() + patience
    while True:
        left = _round(account, names, removed)
        if not left or time.monotonic() > deadline:
            return sorted(removed), left
        time.sleep(PAUSE_SECONDS)


def _round(account: Account, names: Names, removed: set[str]) -> list[str]:
    """Ask for the removal of everything that is there; return what is left, with the reason."""
    left = [*_of_project(account, names, removed), *_buckets(account, names, removed)]
    left += _applications(account, names, removed)
    return left or _project(account, names, removed)


def _of_project(account: Account, names: Names, removed: set[str]) -> Iterator[str]:
    for path, key in LISTS:
        query = {"project" if path.startswith("/instance") else "project_id": names.project}
        try:
            rows = [row for row in account.list_all(path, key, Found, **query) if not row.is_projects_own]
        except OpsError as error:
            yield f"{key}: {error}"
            continue
        for row in rows:
            yield from _remove(account, f"{path}/{row.id}", f"{key.removesuffix('s')} {row.id}", removed)


def _remove(account: Account, path: str, what: str, removed: set[str]) -> Iterator[str]:
    """Ask for one removal; yield the thing with the reason when it is not gone yet."""
    try:
        if path.startswith(f"{INSTANCE}/servers/"):
            _remove_server(account, path)
        else:
            account.delete(path)
        gone = account.get_or_none(path, Answer) is None
    except OpsError as error:
        yield f"{what}: {error}"
        return
    if gone:
        removed.add(what)
    else:
        yield f"{what}: it is being removed"


def _remove_server(account: Account, path: str) -> None:
    """Terminate a running server; one in between two states is asked again in the next round."""
    answer = account.get_or_none(path, ServerAnswer)
    if answer and answer.server.state == "running":
        account.post(f"{path}/action", {"action": "terminate"}, Answer)
    elif answer and answer.server.state == "stopped":
        account.delete(path)


def _buckets(account: Account, names: Names, removed: set[str]) -> Iterator[str]:
    """Every version of every object, then the buckets, by the names that only this run gives."""
    s3 = account.storage(REGION, names.project)
    for bucket in names.all_buckets:
        try:
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
            s3.delete_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchBucket", "404"):
                yield f"bucket {bucket}: {error}"
        else:
            removed.add(f"bucket {bucket}")


def _applications(account: Account, names: Names, removed: set[str]) -> Iterator[str]:
    """The servers' applications and the second person's, which are the organization's."""
    mine = {names.colleague, *(f"labelspace-{name}" for name in names.workspaces)}
    organization = {"organization_id": account.organization}
    try:
        policies = list(account.list_all(f"{IAM}/policies", "policies", Named, **organization))
        applications = list(account.list_all(f"{IAM}/applications", "applications", Named, **organization))
        for one in applications:
            if one.name in mine:
                keys = account.list_all(f"{IAM}/api-keys", "api_keys", Key, application_ids=one.id)
                for key in list(keys):
                    account.delete(f"{IAM}/api-keys/{key.access_key}")
    except OpsError as error:
        yield f"applications: {error}"
        return
    for path, rows in (("policies", policies), ("applications", applications)):
        for one in rows:
            if one.name in mine:
                yield from _remove(account, f"{IAM}/{path}/{one.id}", f"{path} {one.name}", removed)


def _project(account: Account, names: Names, removed: set[str]) -> list[str]:
    """Scaleway removes an empty project alone."""
    path = f"/account/v3/projects/{names.project}"
    return list(_remove(account, path, f"project {names.project}", removed))

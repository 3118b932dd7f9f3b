"""What doctor says of an account at Scaleway: keys and their sources, rights, quotas; over the double."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from testbed.scaleway_api.iam import grant, limit
from tests.e2e.cloud import ACCOUNT, KEY, UUID, Account, account

from labelspace.home import Home
from labelspace_ops.targets.scaleway.permissions import OF_THE_ORGANIZATION, OF_THE_PROJECT

OTHER = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Account]:
    with account(tmp_path / "home", "clouddoctor", Home.find().tools) as one:
        one.cloud.add("access_key", dict(KEY), "access_key")
        grant(one.cloud, UUID, *OF_THE_PROJECT, project=UUID)
        grant(one.cloud, UUID, *OF_THE_ORGANIZATION)
        yield one


def doctor(cloud: Account, **changed: str | None) -> dict[str, Any]:
    done = cloud.labelspace("doctor", "--target", "scaleway", "--json", **changed)
    assert "Traceback" not in done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == (0 if all(check["ok"] for check in checks.values()) else 1)
    return checks


def profiles(folder: Path, **named: dict[str, str]) -> str:
    """A file of profiles, as Scaleway's own command writes it."""
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump({"active_profile": "team", "profiles": named}))
    return str(file)


def profile(**changes: str) -> dict[str, str]:
    return {
        "access_key": ACCOUNT["SCW_ACCESS_KEY"],
        "secret_key": UUID,
        "default_project_id": UUID,
        "default_organization_id": UUID,
        **changes,
    }


NO_KEYS = {name: None for name in ACCOUNT if name != "SCW_CONFIG_PATH"}


def test_all_is_well_with_every_right(cloud: Account) -> None:
    checks = doctor(cloud)
    assert all(check["ok"] for check in checks.values()), checks
    assert "access_key from SCW_ACCESS_KEY" in checks["Scaleway account"]["detail"]
    assert "ProjectManager" in checks["Scaleway project: own"]["detail"]


def test_a_right_that_is_missing_or_in_another_project_is_named(cloud: Account) -> None:
    cloud.cloud.all("policy").clear()
    grant(cloud.cloud, UUID, *OF_THE_PROJECT, project=OTHER)
    grant(cloud.cloud, UUID, "IAMManager", "InstancesFullAccess")
    checks = doctor(cloud)
    assert checks["Scaleway right IAMPolicyManager"]["ok"], "IAMManager holds it"
    assert checks["Scaleway right InstancesFullAccess"]["ok"], "it is given in all projects"
    missing = checks["Scaleway right RelationalDatabasesFullAccess"]
    assert not missing["ok"]
    assert f"in project {UUID}" in missing["detail"]


def test_rights_come_by_a_group_too(cloud: Account) -> None:
    project = next(iter(cloud.cloud.all("policy").values()))
    project.pop("application_id")
    project["group_id"] = OTHER
    cloud.cloud.add("group", {"id": OTHER, "name": "labeling", "application_ids": [UUID], "user_ids": []})
    assert all(check["ok"] for check in doctor(cloud).values())


def test_the_owner_needs_no_policy(cloud: Account) -> None:
    cloud.cloud.all("policy").clear()
    cloud.cloud.add("access_key", {"access_key": ACCOUNT["SCW_ACCESS_KEY"], "user_id": OTHER}, "access_key")
    cloud.cloud.add("user", {"id": OTHER, "type": "owner"})
    assert "owner" in doctor(cloud)["Scaleway rights"]["detail"]


def test_a_quota_that_is_used_up_is_named(cloud: Account) -> None:
    limit(cloud.cloud, "DEV1-L", {"zone": "fr-par-2", "limit": 5}, {"zone": "fr-par-1", "limit": 0})
    limit(cloud.cloud, "GP1-XS", {"zone": "fr-par-1", "limit": 2})
    limit(cloud.cloud, "GP1-S", {"zone": "fr-par-1", "unlimited": True})
    checks = doctor(cloud)
    used_up = checks["Scaleway quota of servers DEV1-L in fr-par-1"]
    assert used_up["detail"].startswith("0 of 0 used: a workspace takes one")
    assert not used_up["ok"]
    assert checks["Scaleway quota of servers GP1-XS in fr-par-1"]["detail"] == "0 of 2 used"
    assert checks["Scaleway quota of servers GP1-S in fr-par-1"]["detail"] == "0 used, unlimited"


def test_no_quota_is_matched_by_guess(cloud: Account) -> None:
    """Names that are alike, and a kind whose name nobody has published."""
    limit(cloud.cloud, "DEV1-L-WIN", {"zone": "fr-par-1", "limit": 0})
    cloud.cloud.add("quotum", {"name": "iam_policies", "limits": [{"global": True, "limit": 1}]}, "name")
    checks = doctor(cloud)
    servers = checks["Scaleway quota of servers DEV1-L in fr-par-1"]
    assert servers["ok"]
    assert "lists no cp_servers_type_DEV1_L" in servers["detail"]
    policies = checks["Scaleway quota of IAM policies"]
    assert policies["ok"]
    assert policies["detail"].startswith("2 used of 50 by default; the API's name of this quota is not known")


def test_keys_may_come_from_the_active_profile(cloud: Account, tmp_path: Path) -> None:
    file = profiles(tmp_path, team=profile())
    checks = doctor(cloud, **NO_KEYS, SCW_CONFIG_PATH=file)
    assert f"secret_key from profile team of {file}" in checks["Scaleway account"]["detail"]
    assert checks["Scaleway IAM"]["ok"]


def test_a_profile_that_is_not_there_is_named(cloud: Account, tmp_path: Path) -> None:
    file = profiles(tmp_path, team=profile())
    checks = doctor(cloud, **NO_KEYS, SCW_CONFIG_PATH=file, SCW_PROFILE="mine")
    assert "profile 'mine' is not in" in checks["Scaleway account"]["detail"]
    assert "there are team" in checks["Scaleway account"]["detail"]


def test_keys_may_come_from_a_stacks_configuration(cloud: Account) -> None:
    _configure(cloud)
    checks = doctor(cloud, **NO_KEYS)
    assert "access_key from scaleway:accessKey of the stack" in checks["Scaleway account"]["detail"]
    assert "(stack clouddoctor)" in checks["Scaleway account"]["detail"]


def test_the_trap_is_explained_where_two_disagree(cloud: Account, tmp_path: Path) -> None:
    cloud.pulumi("config", "set", "scaleway:projectId", OTHER)
    file = profiles(tmp_path, team=profile(default_organization_id=OTHER))
    trap = doctor(cloud, SCW_CONFIG_PATH=file)["Scaleway precedence"]
    assert not trap["ok"]
    hidden = f"SCW_DEFAULT_PROJECT_ID hides scaleway:projectId of the stack ({UUID} is used, not {OTHER})"
    assert hidden in trap["detail"]
    assert "SCW_DEFAULT_ORGANIZATION_ID hides profile team" in trap["detail"]
    assert "unset the values that you do not mean" in trap["detail"]


def test_halves_of_two_keys_are_reported_and_no_secret_is_shown(cloud: Account, tmp_path: Path) -> None:
    file = profiles(tmp_path, team=profile(secret_key=OTHER))
    checks = doctor(cloud, SCW_CONFIG_PATH=file, SCW_ACCESS_KEY=None)
    assert "halves of two keys" in checks["Scaleway halves"]["detail"]
    assert OTHER not in json.dumps(checks)


def _configure(cloud: Account) -> None:
    plain = {"accessKey": ACCOUNT["SCW_ACCESS_KEY"], "projectId": UUID, "organizationId": UUID}
    for key, value in plain.items():
        cloud.pulumi("config", "set", f"scaleway:{key}", value)
    cloud.pulumi("config", "set", "--secret", "scaleway:secretKey", UUID)
    cloud.pulumi("config", "set", "scaleway:apiUrl", f"http://{cloud.address}")


def test_a_workspace_is_made_with_the_keys_of_its_stack_alone(cloud: Account) -> None:
    _configure(cloud)
    quick = {"scaleway.wait_minutes": "0", "scaleway.trial_hostname": "true"}
    for key, value in {**quick, "buckets[0].name": "street"}.items():
        cloud.pulumi("config", "set", "--path", f"labelspace:{key}", value)
    cloud.pulumi("config", "set", "labelspace:target", "scaleway")
    done = cloud.labelspace("create", "clouddoctor", "--yes", "--json", **NO_KEYS, SCW_API_URL=None)
    assert done.stdout, done.stderr
    assert json.loads(done.stdout)["server"] == "running", done.stderr
    assert cloud.only("instance")["project_id"] == UUID
    assert cloud.labelspace("delete", "clouddoctor", "--yes", **NO_KEYS, SCW_API_URL=None).returncode == 0

"""A workspace on Scaleway: its account, its life, its status as seen from outside."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
from pulumi import automation as auto

from labelspace.home import Home
from labelspace.scaleway.prices import VOLUME_GB, monthly_cost, total
from labelspace.spec import SpecError, WorkspaceSpec
from labelspace_ops import far, locks, program, progress, stack, state
from labelspace_ops.checks import Check, bucket_row, health
from labelspace_ops.commands.app import say
from labelspace_ops.errors import OpsError, UsageError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LATE = timedelta(hours=2)
"""Since the last dump: one an hour is made while the server runs."""
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
VARIABLES = {
    "SCW_ACCESS_KEY": r"SCW[A-Z0-9]{17}",
    "SCW_SECRET_KEY": UUID,
    "SCW_DEFAULT_PROJECT_ID": UUID,
    "SCW_DEFAULT_ORGANIZATION_ID": UUID,
}
"""What the provider and these commands read, and its form (Scaleway's SDK)."""
RIGHTS = {
    "project": (
        "ObjectStorageFullAccess",
        "RelationalDatabasesFullAccess",
        "InstancesFullAccess",
        "BlockStorageFullAccess",
        "VPCFullAccess",
        "PrivateNetworksFullAccess",
        "IPAMReadOnly",
        "SecretManagerFullAccess",
        "DomainsDNSFullAccess (with dns_zone)",
    ),
    "organization": ("IAMApplicationManager", "IAMPolicyManager"),
}
"""Permission sets that whoever provisions needs (composed from Scaleway's documentation)."""


def account() -> dict[str, str]:
    """The keys from the environment; raises ``OpsError`` naming all that is missing or malformed."""
    problems = []
    for name, form in VARIABLES.items():
        value = os.environ.get(name, "")
        if not value:
            problems.append(f"{name} is not set")
        elif not re.fullmatch(form, value):
            problems.append(f"{name} does not look like one ({form})")
    if problems:
        raise OpsError(
            f"Scaleway account: {'; '.join(problems)}: make a key in Scaleway's console (IAM) and set them"
        )
    return {name: os.environ[name] for name in VARIABLES}


def ask(path: str) -> Any:
    """One GET at Scaleway's API; raises ``OpsError`` with what to do."""
    keys = account()
    base = os.environ.get("SCW_API_URL", "https://api.scaleway.com")
    try:
        answer = httpx.get(base + path, headers={"X-Auth-Token": keys["SCW_SECRET_KEY"]}, timeout=20)
    except httpx.HTTPError as error:
        raise OpsError(
            f"Scaleway's API cannot be reached ({error}): check the network and try again"
        ) from None
    if answer.status_code in (401, 403):
        raise OpsError(f"Scaleway's API refuses the key at {path}: see `labelspace doctor --target scaleway`")
    if answer.is_error:
        raise OpsError(f"Scaleway's API answers {answer.status_code} to {path}: {answer.text[:200]}")
    return answer.json()


def provisioner() -> str:
    """Whose key this is, as bucket policies name it."""
    key = ask(f"/iam/v1alpha1/api-keys/{account()['SCW_ACCESS_KEY']}")
    kind = "application_id" if key.get("application_id") else "user_id"
    return f"{kind}:{key[kind]}"


def storage(region: str) -> S3Client:
    """Object Storage as whoever runs this command; every bucket of the default project."""
    import boto3  # noqa: PLC0415 - heavy, and only asked for here
    from botocore.config import Config  # noqa: PLC0415

    keys = account()
    return boto3.client(
        "s3",
        endpoint_url=os.environ.get("SCW_S3_ENDPOINT") or f"https://s3.{region}.scw.cloud",
        aws_access_key_id=f"{keys['SCW_ACCESS_KEY']}@{keys['SCW_DEFAULT_PROJECT_ID']}",
        aws_secret_access_key=keys["SCW_SECRET_KEY"],
        region_name=region,
        config=Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 4}),
    )


def completed(spec: WorkspaceSpec, home: Home) -> WorkspaceSpec:
    """The wish with what only account and machine know: who provisions, which buckets are there, the key."""
    who = spec.scaleway.provisioner or provisioner()
    s3 = storage(spec.scaleway.region)
    backups = backup_bucket(spec.name)
    buckets = [
        bucket.model_copy(update={"adopt": bucket.adopt or _is_mine(s3, bucket.name)})
        for bucket in spec.buckets
    ]
    scaleway = {"provisioner": who, "adopt_backups": spec.scaleway.adopt_backups or _is_mine(s3, backups)}
    if spec.scaleway.admin_cidrs and not spec.scaleway.admin_key:
        scaleway["admin_key"] = far.key(spec.name, home)
    return spec.model_copy(
        update={"buckets": tuple(buckets), "scaleway": spec.scaleway.model_copy(update=scaleway)}
    )


def _is_mine(s3: S3Client, bucket: str) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:
            raise UsageError(
                f"bucket {bucket!r}: another project or policy holds it: choose another name"
            ) from None
        return False
    except BotoCoreError as error:
        raise OpsError(
            f"Object Storage cannot be reached ({error}): check the network and try again"
        ) from None
    return True


def create(spec: WorkspaceSpec, home: Home) -> auto.Stack:
    """Make the workspace, or take it up where an earlier attempt ended."""
    account()
    cost = costs(spec)
    with locks.hold(home, spec.name, "creating"):
        wished = completed(spec, home)
        chosen = stack.create_or_select(spec.name, home)
        stack.write_settings(chosen, wished)
        locks.clear_stale(home, chosen)
        say(f"  costs {cost}")
        stack.update(chosen, program.run, progress.Resources().on_event)
    return chosen


def stop(name: str, home: Home) -> dict[str, Any]:
    """Stop the server, which then costs nothing; everything else stays, and is paid on."""
    chosen = stack.select(name, home)
    with locks.hold(home, name, "stopping"):
        locks.clear_stale(home, chosen)
        backed_up = _last_dump(name, home, stack.read_settings(chosen))
        stack.set_running(chosen, running=False)
        stack.update(chosen, program.run, progress.Resources().on_event)
    where = state.outputs(name, home)["backups"]["where"]
    return {"name": name, "status": "stopped", "backed_up": backed_up, "backups": where}


def _last_dump(name: str, home: Home, settings: dict[str, Any]) -> bool:
    """One more dump where the server lets this machine in; that of the last hour is there in any case."""
    if not settings.get("scaleway", {}).get("admin_cidrs") or not settings.get("running", True):
        return False
    try:
        found = far.server(name, home)
        return bool(found and far.backup(found))
    except OpsError as error:
        say(f"  no last dump ({error})")
        return False


def costs(spec: WorkspaceSpec) -> str:
    """What it will cost, by part; raises ``UsageError`` for a type that is not offered."""
    try:
        running, stopped = total(spec)
    except SpecError as error:
        raise UsageError(str(error)) from None
    parts = ", ".join(f"{part.name} {part.running:.2f}" for part in monthly_cost(spec))
    return f"about {running:.2f} EUR a month, {stopped:.2f} while stopped ({parts}; objects on top)"


def delete(name: str, home: Home) -> dict[str, Any]:
    """Remove all that is paid by the hour; says what stays and what that costs."""
    chosen = stack.select(name, home)
    spec = stack.read_settings(chosen)
    size = int(spec.get("scaleway", {}).get("data_gb", 50))
    backups = state.outputs(name, home).get("backups", {})
    with locks.hold(home, name, "deleting"):
        locks.clear_stale(home, chosen)
        backed_up = _last_dump(name, home, spec)
        stack.destroy(chosen, progress.Resources().on_event)
        chosen.workspace.remove_stack(name)
    kept = f"volume labelspace-{name}-data ({size * VOLUME_GB:.2f} EUR a month), its buckets"
    done = {"name": name, "backed_up": backed_up, "backups": backups.get("where")}
    return {**done, "purged": False, "kept": kept}


def backup_bucket(name: str) -> str:
    """Where the server of a workspace writes its dumps (``scaleway/place.py``)."""
    return f"labelspace-{name}-{account()['SCW_DEFAULT_PROJECT_ID'][:8]}-backups"


def dumps(name: str, region: str) -> list[datetime]:
    """When the dumps in the backup bucket were made, oldest first; raises ``OpsError``."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        pages = storage(region).get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=backup_bucket(name), Prefix="dumps/")
        return sorted(one["LastModified"] for page in found for one in page.get("Contents", []))
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"the dumps of {name} cannot be listed: {error}") from None


def _dumped(name: str, outputs: dict[str, Any], *, running: bool) -> tuple[dict[str, Any], list[Check]]:
    """How many dumps there are, and whether the last one is late; the first follows a start by minutes."""
    unknown = {"copies": None, "last": None, "last_archived": None}
    if not outputs or not all(os.environ.get(variable) for variable in VARIABLES):
        return unknown, []
    try:
        made = dumps(name, outputs.get("region", "fr-par"))
    except OpsError as error:
        return unknown, [{"name": "dumps", "ok": False, "detail": str(error)}]
    last = made[-1].astimezone(UTC) if made else None
    said = {**unknown, "copies": len(made), "last": last.strftime("%Y-%m-%dT%H:%M:%SZ") if last else None}
    late = running and last is not None and datetime.now(UTC) - last > LATE
    detail = f"the last was made at {said['last']}" if last else "none was made yet"
    return said, [{"name": "dumps", "ok": not late, "detail": detail}]


def measure(name: str, outputs: dict[str, Any], home: Home) -> dict[str, Any]:
    """The status object that scripts rely on, from the URL's own word and the API's."""
    running = outputs.get("running", True)
    checks = [health(outputs["api_url"], patience=15)] if outputs and running else []
    backup, dumped = _dumped(name, outputs, running=running)
    checks += dumped
    busy = locks.busy(home, name)
    ready = "ready" if all(check["ok"] for check in checks) else "degraded"
    status = busy or ("stopped" if not running else ready if outputs else "failed")
    return {
        "name": name,
        "target": "scaleway",
        "description": outputs.get("description", ""),
        "status": status,
        "url": outputs.get("url", ""),
        "api_url": outputs.get("api_url", ""),
        "cvat_version": outputs.get("cvat_version", ""),
        "admin_username": outputs.get("admin_username", ""),
        "buckets": [bucket_row(bucket) for bucket in outputs.get("buckets", [])],
        "backup": {**outputs.get("backups", {}), **backup},
        "cost": outputs.get("cost", {}),
        "checks": checks,
    }


def examine() -> list[dict[str, Any]]:
    """The account, check by check: presence, form, and whether the API takes the key for each product."""
    try:
        keys = account()
    except OpsError as error:
        return [{"name": "Scaleway account", "ok": False, "detail": str(error)}]
    project = f"project_id={keys['SCW_DEFAULT_PROJECT_ID']}"
    region, zone = "regions/fr-par", "zones/fr-par-1"
    reads = {
        "IAM": f"/iam/v1alpha1/api-keys/{keys['SCW_ACCESS_KEY']}",
        "Instances": f"/instance/v1/{zone}/servers?project={keys['SCW_DEFAULT_PROJECT_ID']}",
        "databases": f"/rdb/v1/{region}/instances?{project}",
        "private networks": f"/vpc/v2/{region}/private-networks?{project}",
        "block volumes": f"/block/v1/{zone}/volumes?{project}",
        "secrets": f"/secret-manager/v1beta1/{region}/secrets?{project}",
    }
    return [
        {"name": "Scaleway account", "ok": True, "detail": "keys are set"},
        *map(_may_read, reads.items()),
    ]


def _may_read(read: tuple[str, str]) -> dict[str, Any]:
    name, path = read
    try:
        ask(path)
    except OpsError as error:
        sets = ", ".join(RIGHTS["organization"] if name == "IAM" else RIGHTS["project"])
        return {"name": f"Scaleway {name}", "ok": False, "detail": f"{error}; permission sets: {sets}"}
    return {"name": f"Scaleway {name}", "ok": True, "detail": "the key may read them"}

"""Resources that exist under a workspace's name: its project, its buckets, its data volume."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from labelspace.spec import ScalewaySpec
from labelspace.targets.scaleway.context import backup_bucket, resource_name
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.library_errors import reason
from labelspace_ops.stack.state import Resource, stack_outputs
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.answers import Named, Volume

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

GB = 10**9
Resources = list[Resource]
PROJECT = "scaleway:account/project:Project"
VOLUME = "scaleway:block/volume:Volume"
DATABASE = "scaleway:databases/instance:Instance"
DATABASE_INSIDE = "labelspace:scaleway:DatabaseOnServer"
SERVER = "scaleway:instance/server:Server"
BUCKET = "scaleway:object/bucket:Bucket"
POLICY = "scaleway:object/bucketPolicy:BucketPolicy"
ADDRESS = "scaleway:instance/ip:Ip"
KINDS = {"managed": "a managed database", "server": "its database on the server"}
"""Value of ``scaleway.database`` -> text for messages."""


def resources_of_type(resources: Resources, kind: str) -> Resources:
    """Return the resources of one type, without those that wait for their deletion."""
    return [one for one in resources if one.type == kind and not one.is_to_delete]


def bare_id(resource: Resource) -> str:
    """Return a resource's id without its region or zone."""
    return resource.id.rpartition("/")[2]


def place_and_id(resource: Resource) -> tuple[str, str]:
    """Return a resource's region or zone, and its id without it."""
    place, _, identity = resource.id.partition("/")
    return place, identity


def project_of(account: Account, spec: ScalewaySpec, resources: Resources) -> str:
    """Return the id of the workspace's own project, from its stack or retained; empty for none."""
    current = resources_of_type(resources, PROJECT)
    if current:
        return bare_id(current[0])
    if spec.scaleway.adopt_project:
        return spec.scaleway.adopt_project
    name = resource_name(spec.name)
    query = {"organization_id": account.organization, "name": name}
    rows = account.list_all("/account/v3/projects", "projects", Named, **query)
    ids = [row.id for row in rows if row.name == name]
    if len(ids) > 1:
        raise UsageError(
            f"scaleway.project: there are {len(ids)} projects {name} ({', '.join(ids)}): rename all but the"
            " workspace's own in Scaleway's console"
        )
    return ids[0] if ids else ""


def same_project(spec: ScalewaySpec, resources: Resources) -> None:
    """Refuse to change the project: the new one would have an empty database and no buckets."""
    made = any(resources_of_type(resources, kind) for kind in (VOLUME, DATABASE, BUCKET))
    now = "own" if resources_of_type(resources, PROJECT) else "shared"
    if made and now != spec.scaleway.project:
        raise UsageError(
            f"scaleway.project: {spec.scaleway.project!r}: {spec.name} is in a project that is {now}, and"
            " nothing moves between projects: create another workspace, or leave it as it is"
        )


def same_database(spec: ScalewaySpec, resources: Resources) -> None:
    """Refuse to change the kind of database: the other kind would start empty."""
    current = kind_of_database(resources)
    if current and current != spec.scaleway.database:
        raise UsageError(
            f"scaleway.database: {spec.scaleway.database!r}: {spec.name} has {KINDS[current]}, and"
            " annotations do not move from one to the other: create another workspace, or leave it as it is"
        )


def kind_of_database(resources: Resources) -> str:
    """Return the kind of database that the stack has; empty before its creation."""
    kind = str(stack_outputs(resources).get("database", ""))
    if kind:
        return kind
    if resources_of_type(resources, DATABASE):
        return "managed"
    return (
        "server"
        if resources_of_type(resources, DATABASE_INSIDE) and resources_of_type(resources, SERVER)
        else ""
    )


def with_project(account: Account, spec: ScalewaySpec, resources: Resources) -> tuple[ScalewaySpec, str]:
    """Return the spec with the retained project, and the project of its buckets (empty: not created yet)."""
    if spec.scaleway.project == "shared":
        return spec, account.project
    existing = project_of(account, spec, resources)
    if not existing or resources_of_type(resources, PROJECT):
        return spec, existing
    return with_settings(spec, adopt_project=existing), existing


def with_buckets(account: Account, spec: ScalewaySpec, project: str, resources: Resources) -> ScalewaySpec:
    """Return the spec that adopts its existing buckets which are not in the stack."""
    known = {str(one.outputs.get("name")) for one in resources_of_type(resources, BUCKET)}
    s3, copies = account.storage(spec.scaleway.region, project), backup_bucket(spec.name, account.project)
    if not project:
        _refuse_existing(s3, [*(bucket.name for bucket in spec.buckets), copies])
        return spec
    buckets = [
        bucket.model_copy(update={"adopt": bucket.adopt or _is_retained(s3, bucket.name, known)})
        for bucket in spec.buckets
    ]
    backups = spec.scaleway.adopt_backups or _is_retained(s3, copies, known)
    return with_settings(spec.model_copy(update={"buckets": tuple(buckets)}), adopt_backups=backups)


def volume_of(account: Account, spec: ScalewaySpec, project: str, resources: Resources) -> Volume | None:
    """Return the newest retained data volume; None when the stack has one or ``adopt_volume`` names one.

    Raises ``UsageError`` for a volume in use, also one that ``adopt_volume`` names: the name belongs to a
    workspace whose state is not here.
    """
    if resources_of_type(resources, VOLUME) or not project:
        return None
    name = resource_name(spec.name, "data")
    rows = account.list_all(volumes(spec), "volumes", Volume, project_id=project, name=name)
    found = sorted((row for row in rows if row.name == name), key=lambda row: row.created_at)
    used = next((row.id for row in found if row.references), None)
    if used:
        raise UsageError(
            f"name: {spec.name!r} is taken: a server uses its data volume {used}, and this machine does not"
            " know that workspace's state. Choose another name, or `labelspace login URL` of its state"
        )
    return found[-1] if found and not spec.scaleway.adopt_volume else None


def volumes(spec: ScalewaySpec) -> str:
    """The API's path of block volumes."""
    return f"/block/v1/zones/{spec.scaleway.region}-{spec.scaleway.zone}/volumes"


def with_volume(account: Account, spec: ScalewaySpec, project: str, resources: Resources) -> ScalewaySpec:
    """Return the spec that adopts the retained data volume, which can grow but not shrink."""
    same_volume(spec, resources)
    volume = volume_of(account, spec, project, resources)
    if volume is None:
        return spec
    size = max(spec.scaleway.data_gb, volume.size // GB)
    return with_settings(spec, adopt_volume=volume.id, data_gb=size)


def same_volume(spec: ScalewaySpec, resources: Resources) -> None:
    """Refuse to replace the data volume of a workspace with another one, which would hide its data."""
    current = next((bare_id(one) for one in resources_of_type(resources, VOLUME)), "")
    if current and spec.scaleway.adopt_volume not in (None, current):
        raise UsageError(
            f"scaleway.adopt_volume: {spec.scaleway.adopt_volume!r}: {spec.name} has the data volume"
            f" {current}: leave the setting out, or make another workspace"
        )


def deployers(spec: ScalewaySpec, resources: Resources, caller: str) -> tuple[str, ...]:
    """Return who may use the buckets: the settings' deployers, else those of the last update, and ``caller``.

    A bucket policy locks out everybody else, so an update by one person keeps the others.
    """
    known = spec.scaleway.deployers or tuple(
        one for policy in resources_of_type(resources, POLICY) for one in _policy_deployers(policy)
    )
    return tuple(dict.fromkeys((*known, caller)))


def _policy_deployers(policy: Resource) -> list[str]:
    statements = json.loads(str(policy.outputs.get("policy") or "{}")).get("Statement", [])
    allowed = [one["Principal"]["SCW"] for one in statements if "s3:*" in one["Action"]]
    return [who for one in allowed for who in ([one] if isinstance(one, str) else one)]


def with_settings(spec: ScalewaySpec, **fields: Any) -> ScalewaySpec:
    """Return the spec with other settings of the target."""
    return spec.model_copy(update={"scaleway": spec.scaleway.model_copy(update=fields)})


def _refuse_existing(s3: S3Client, buckets: list[str]) -> None:
    """Refuse existing buckets for a new project: no bucket can be moved into it."""
    existing = next((name for name in buckets if bucket_exists(s3, name)), None)
    if existing:
        raise UsageError(
            f"bucket {existing!r}: it is in the shared project, and project: own has its buckets in its own:"
            " choose another name, or scaleway.project=shared"
        )


def _is_retained(s3: S3Client, bucket: str, known: set[str]) -> bool:
    return bucket not in known and bucket_exists(s3, bucket)


def bucket_exists(s3: S3Client, bucket: str) -> bool:
    """Return whether the project has the bucket; raises ``UsageError`` when another project has it."""
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
            f"Object Storage cannot be reached ({reason(error)}): check the network and try again"
        ) from None
    return True

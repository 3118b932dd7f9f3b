"""Which kind of database an earlier workspace of a name had: the other one would begin empty."""

from __future__ import annotations

from labelspace.spec import ScalewaySpec
from labelspace.targets.scaleway.context import backup_bucket, resource_name
from labelspace_ops.core.errors import UsageError
from labelspace_ops.targets.scaleway import database_snapshots, repository, retained
from labelspace_ops.targets.scaleway.account import Account, RefusedError

OTHER = {"managed": "server", "server": "managed"}


def same_database(mine: Account, spec: ScalewaySpec, project: str, resources: retained.Resources) -> None:
    """As ``left.same_database``, where no stack says what there was: by what was left in ``project``."""
    if not project or retained.kind_of_database(resources):
        return
    wanted, found = spec.scaleway.database, _copies(mine, spec, project)
    other = OTHER[wanted]
    if other not in found:
        return
    if wanted in found:
        raise UsageError(
            f"scaleway.database: {wanted!r}: workspaces {spec.name} with each kind of database were here, and"
            f" left {found[wanted]} and {found[other]}: choose another name, or remove in Scaleway's console"
            " what nobody needs any more"
        )
    raise UsageError(
        f"scaleway.database: {wanted!r}: an earlier {spec.name} had {retained.KINDS[other]} and left"
        f" {found[other]}, and annotations do not move from one to the other: go on with"
        f" scaleway.database={other}, or choose another name"
    )


def _copies(mine: Account, spec: ScalewaySpec, project: str) -> dict[str, str]:
    """Where copies of annotations lie, by the kind of database that they are of."""
    region, bucket = spec.scaleway.region, backup_bucket(spec.name, mine.project)
    s3 = mine.storage(region, project)
    if not retained.bucket_exists(s3, bucket):
        return {}
    marks = {"managed": ("dumps/", "proofs/"), "server": (f"labelspace/{spec.name}/",)}
    found = {}
    for kind, prefixes in marks.items():
        there = [prefix for prefix in prefixes if repository.holds(s3, bucket, prefix)]
        if there:
            found[kind] = f"{' and '.join(there)} in bucket {bucket}"
    if not found and spec.scaleway.database == "server" and _snapshots(mine, spec, project):
        found["managed"] = "its snapshots"
    return found


def _snapshots(mine: Account, spec: ScalewaySpec, project: str) -> bool:
    """They outlive dumps, which expire."""
    try:
        return database_snapshots.has_snapshots(mine, spec.scaleway.region, project, resource_name(spec.name))
    except RefusedError:  # who may not see databases has none
        return False

"""The database kind of a deleted workspace of the same name; the other kind would start empty."""

from __future__ import annotations

from labelspace.spec import ScalewaySpec
from labelspace.targets.scaleway.context import backup_bucket, resource_name
from labelspace_ops.core.errors import UsageError
from labelspace_ops.targets.scaleway import database_snapshots, repository, retained
from labelspace_ops.targets.scaleway.account import Account, RefusedError

OTHER = {"managed": "server", "server": "managed"}


def same_database(account: Account, spec: ScalewaySpec, project: str, resources: retained.Resources) -> None:
    """Raise ``UsageError`` when the account has copies of annotations from the other kind of database.

    For a name without a stack; ``retained.same_database`` compares with the stack where there is one.
    """
    if not project or retained.kind_of_database(resources):
        return
    chosen, found = spec.scaleway.database, _copies(account, spec, project)
    other = OTHER[chosen]
    if other not in found:
        return
    if chosen in found:
        raise UsageError(
            f"scaleway.database: {chosen!r}: workspaces {spec.name} with each kind of database were here, and"
            f" left {found[chosen]} and {found[other]}: choose another name, or remove in Scaleway's console"
            " what nobody needs any more"
        )
    raise UsageError(
        f"scaleway.database: {chosen!r}: an earlier {spec.name} had {retained.KINDS[other]} and left"
        f" {found[other]}, and annotations do not move from one to the other: go on with"
        f" scaleway.database={other}, or choose another name"
    )


def _copies(account: Account, spec: ScalewaySpec, project: str) -> dict[str, str]:
    """Return the location of retained annotations, by their kind of database."""
    region, bucket = spec.scaleway.region, backup_bucket(spec.name, account.project)
    s3 = account.storage(region, project)
    if not retained.bucket_exists(s3, bucket):
        return {}
    prefixes_of = {"managed": ("dumps/", "proofs/"), "server": (f"labelspace/{spec.name}/",)}
    found = {}
    for kind, prefixes in prefixes_of.items():
        existing = [prefix for prefix in prefixes if repository.holds(s3, bucket, prefix)]
        if existing:
            found[kind] = f"{' and '.join(existing)} in bucket {bucket}"
    if not found and spec.scaleway.database == "server" and _snapshots(account, spec, project):
        found["managed"] = "its snapshots"
    return found


def _snapshots(account: Account, spec: ScalewaySpec, project: str) -> bool:
    """Return whether snapshots are left: they outlive dumps, which expire."""
    try:
        return database_snapshots.has_snapshots(
            account, spec.scaleway.region, project, resource_name(spec.name)
        )
    except RefusedError:  # a key without this permission cannot have a managed database
        return False

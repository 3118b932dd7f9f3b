"""A dataset bucket in Object Storage: versioned, private, retained when the workspace is deleted."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumiverse_scaleway as scaleway

from labelspace.outputs import BucketAccess, RemoteShare
from labelspace.spec import BucketSpec
from labelspace.targets.scaleway.context import ScalewayContext

OLD_VERSIONS_DAYS = 30
BROKEN_UPLOADS_DAYS = 7
SHARE = "/srv/labelspace/share"
"""Where the server mounts its buckets, one folder each."""
POLICY_VERSION = "2023-04-17"
READ = ("s3:ListBucket", "s3:GetObject")
WRITE, DELETE = "s3:PutObject", "s3:DeleteObject"


class DatasetBucket(pulumi.ComponentResource):
    """The bucket ``spec.name``, made or adopted; ``retain_on_delete``, never emptied."""

    access: BucketAccess

    def __init__(
        self,
        name: str,
        *,
        spec: BucketSpec,
        context: ScalewayContext,
        reader: pulumi.Input[str],
        access_key: pulumi.Input[str],
        secret_key: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:scaleway:DatasetBucket", name, None, opts)
        self.bucket = bucket(self, spec.name, context, adopt=spec.adopt, lifetime=Lifetime())
        policy(self, self.bucket, spec.name, context, reader=reader, actions=READ)
        self.access = BucketAccess(
            name=spec.name,
            endpoint=pulumi.Output.from_input(context.endpoint),
            region=context.region,
            access_key=pulumi.Output.from_input(access_key),
            secret_key=pulumi.Output.secret(secret_key),
            share=RemoteShare(SHARE),
        )
        self.register_outputs({"bucket": spec.name, "endpoint": context.endpoint})


@dataclass(frozen=True)
class Lifetime:
    """How long a bucket keeps what; in days."""

    old_versions: int = OLD_VERSIONS_DAYS
    """After an object was deleted or overwritten."""
    dumps: int | None = None
    """Age at which an object below ``dumps/`` is deleted; None: never."""


def bucket(
    parent: pulumi.Resource, name: str, context: ScalewayContext, *, adopt: bool, lifetime: Lifetime
) -> scaleway.object.Bucket:
    """A private, versioned bucket."""
    return scaleway.object.Bucket(
        f"{context.workspace}-{name}",
        name=name,
        region=context.region,
        project_id=context.project,
        versioning=scaleway.object.BucketVersioningArgs(enabled=True),
        lifecycle_rules=_lifecycle(lifetime),
        tags={"labelspace": context.workspace},
        opts=pulumi.ResourceOptions(
            parent=parent,
            retain_on_delete=True,
            import_=_left(context, name) if adopt else None,
        ),
    )


def _left(context: ScalewayContext, name: str) -> str:
    """How the provider finds a bucket that is there; in another project than its own it needs that, too."""
    own = context.spec.adopt_project
    return f"{context.region}/{name}@{own}" if own else f"{context.region}/{name}"


def _lifecycle(lifetime: Lifetime) -> list[scaleway.object.BucketLifecycleRuleArgs]:
    """Old versions, the markers that their deletion leaves, and broken uploads would be paid for ever."""
    rule, expiration = (
        scaleway.object.BucketLifecycleRuleArgs,
        scaleway.object.BucketLifecycleRuleExpirationArgs,
    )
    old = scaleway.object.BucketLifecycleRuleNoncurrentVersionExpirationArgs(
        noncurrent_days=lifetime.old_versions
    )
    marker = expiration(expired_object_delete_marker=True)
    rules = [
        rule(id="old-versions", enabled=True, noncurrent_version_expiration=old),
        rule(id="delete-markers", enabled=True, expiration=marker),
        rule(id="broken-uploads", enabled=True, abort_incomplete_multipart_upload_days=BROKEN_UPLOADS_DAYS),
    ]
    if lifetime.dumps is not None:
        expire = expiration(days=lifetime.dumps)
        rules.append(rule(id="dumps", enabled=True, prefix="dumps/", expiration=expire))
    return rules


def policy(
    parent: pulumi.Resource,
    made: scaleway.object.Bucket,
    name: str,
    context: ScalewayContext,
    *,
    reader: pulumi.Input[str],
    actions: tuple[str, ...],
) -> None:
    """Allow exactly the workspace's server and its deployers; everybody else is locked out."""
    deployers = context.spec.deployers
    if not deployers:
        return
    scaleway.object.BucketPolicy(
        f"{context.workspace}-{name}-policy",
        bucket=made.name,
        region=context.region,
        project_id=context.project,
        policy=pulumi.Output.from_input(reader).apply(
            lambda application: policy_json(name, application, deployers, actions)
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def policy_json(name: str, application: str, deployers: tuple[str, ...], actions: tuple[str, ...]) -> str:
    """The policy's text: two statements, both name the bucket and what is in it."""
    resources = [name, f"{name}/*"]
    allowed: tuple[tuple[list[str], list[str]], ...] = (
        ([f"application_id:{application}"], list(actions)),
        (list(deployers), ["s3:*"]),
    )
    statements = [
        {"Effect": "Allow", "Principal": {"SCW": who}, "Action": what, "Resource": resources}
        for who, what in allowed
    ]
    return json.dumps({"Version": POLICY_VERSION, "Statement": statements})

"""The workspace component: a validated spec, deployed to its target."""
# Annotations are real here, not text: the component provider derives its schema from them.

import json
from typing import Any

import pulumi

from labelspace.outputs import BeforeUpgrade, BucketAccess, Deployment
from labelspace.secrets import workspace_secrets
from labelspace.spec import WorkspaceSpec, dump_with_secrets
from labelspace.targets.registry import deploy_function


def declare(spec: WorkspaceSpec, before_upgrade: BeforeUpgrade | None = None) -> "Workspace":
    """The workspace of a stack: declares it and exports its outputs."""
    workspace = Workspace(spec.name, spec, before_upgrade=before_upgrade)
    for name, value in workspace.outputs().items():
        pulumi.export(name, value)
    pulumi.export("settings", pulumi.Output.secret(json.dumps(dump_with_secrets(spec), sort_keys=True)))
    return workspace


class Workspace(pulumi.ComponentResource):
    """A CVAT server with its admin, its dataset buckets and its annotation database, on the spec's target.

    ``admin_password``: the admin's password where another resource makes it, in place of
    ``spec.admin.password``; a weak one fails the update. Raises ``SpecError`` when both are given.
    """

    url: pulumi.Output[str]
    """Where people work; resolves when the workspace is ready."""
    api_url: pulumi.Output[str]
    """The same server for programs (CVAT's REST API)."""
    admin_username: pulumi.Output[str]
    """User name of CVAT's superuser."""
    admin_password: pulumi.Output[str]
    """The superuser's password; secret."""
    buckets: pulumi.Output[list[dict[str, str]]]
    """Each dataset bucket's name, S3 endpoint and region, and ``path`` of a folder of the user's own."""
    bucket_keys: pulumi.Output[dict[str, dict[str, str]]]
    """Access key and secret key of each bucket by its name, empty for a public one; secret."""
    backups: pulumi.Output[dict[str, str]]
    """Where backups are, when they are made and how long they are kept, for people."""

    def __init__(
        self,
        name: str,
        spec: WorkspaceSpec,
        opts: pulumi.ResourceOptions | None = None,
        *,
        admin_password: pulumi.Input[str] | None = None,
        before_upgrade: BeforeUpgrade | None = None,
    ) -> None:
        super().__init__("labelspace:index:Workspace", name, None, opts)
        self.spec = spec
        self.secrets = workspace_secrets(self, spec.name, spec.admin, admin_password=admin_password)
        deploy = deploy_function(spec.target)
        self.deployment = deploy(self, spec, self.secrets, before_upgrade)
        outputs = self.outputs()
        self._set_attributes(outputs)
        self.register_outputs(outputs)

    def _set_attributes(self, outputs: dict[str, Any]) -> None:
        """The outputs that other resources use, as attributes."""
        output = pulumi.Output.from_input
        self.url, self.api_url = output(outputs["url"]), output(outputs["api_url"])
        self.admin_username = output(outputs["admin_username"])
        self.admin_password = output(outputs["admin_password"])
        self.buckets, self.bucket_keys = output(outputs["buckets"]), outputs["bucket_keys"]
        self.backups = output(outputs["backups"])

    def outputs(self) -> dict[str, pulumi.Input[object]]:
        """What a stack exports, the same names on every target; secrets are secret."""
        spec, deployment = self.spec, self.deployment
        return {
            "url": deployment.url,
            "api_url": deployment.api_url,
            "admin_username": spec.admin.username,
            "admin_email": spec.admin.email,
            "admin_password": self.secrets.admin,
            "buckets": [_bucket(bucket) for bucket in deployment.buckets],
            "bucket_keys": _keys(deployment),
            "backups": dict(deployment.backups),
            "cvat_version": spec.cvat_version,
            "target": spec.target,
            "running": spec.running,
            "description": spec.description,
            **deployment.more,
        }


def _bucket(bucket: BucketAccess) -> dict[str, Any]:
    """How programs find a bucket; ``path`` only for a folder of the user's own."""
    path = {"path": bucket.own_path} if bucket.own_path else {}
    return {"name": bucket.name, "endpoint": bucket.endpoint, "region": bucket.region, **path}


def _keys(deployment: Deployment) -> pulumi.Output[dict[str, Any]]:
    """Access key and secret key of each bucket by its name; empty ones for a public bucket."""
    keys: dict[str, Any] = {
        bucket.name: {"access_key": bucket.access_key, "secret_key": bucket.secret_key}
        for bucket in deployment.buckets
    }
    return pulumi.Output.secret(keys)

"""The workspace: a validated wish turned into the parts of its target."""
# Annotations are real here, not text: the component provider derives its schema from them.

import json
from typing import Any

import pulumi

from labelspace.outputs import BeforeUpgrade, Deployment
from labelspace.secrets import workspace_secrets
from labelspace.spec import WorkspaceSpec, dump_with_secrets


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
    """Each dataset bucket's name, S3 endpoint and region."""
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
        self.spec, self._before_upgrade = spec, before_upgrade
        self.secrets = workspace_secrets(self, spec.name, spec.admin, admin_password=admin_password)
        self.built = self._built()
        outputs = self.outputs()
        self._hand_on(outputs)
        self.register_outputs(outputs)

    def _hand_on(self, outputs: dict[str, Any]) -> None:
        """The outputs that other resources use, as attributes."""
        output = pulumi.Output.from_input
        self.url, self.api_url = output(outputs["url"]), output(outputs["api_url"])
        self.admin_username = output(outputs["admin_username"])
        self.admin_password = output(outputs["admin_password"])
        self.buckets, self.bucket_keys = output(outputs["buckets"]), outputs["bucket_keys"]
        self.backups = output(outputs["backups"])

    def outputs(self) -> dict[str, pulumi.Input[object]]:
        """What a stack exports, the same names on every target; secrets are secret."""
        spec, built = self.spec, self.built
        return {
            "url": built.url,
            "api_url": built.api_url,
            "admin_username": spec.admin.username,
            "admin_email": spec.admin.email,
            "admin_password": self.secrets.admin,
            "buckets": [
                {"name": bucket.name, "endpoint": bucket.endpoint, "region": bucket.region}
                for bucket in built.buckets
            ],
            "bucket_keys": _keys(built),
            "backups": dict(built.backups),
            "cvat_version": spec.cvat_version,
            "target": spec.target,
            "running": spec.running,
            "sleep_after_minutes": spec.sleep_after_minutes,
            "description": spec.description,
            **built.more,
        }

    def _built(self) -> Deployment:
        """The target's room builds the parts; each room needs its own provider's package, no other."""
        if self.spec.target == "scaleway":
            from labelspace.targets.scaleway import deploy as scaleway  # noqa: PLC0415

            return scaleway.deploy(self, self.spec, self.secrets)
        from labelspace.targets.local import deploy as local  # noqa: PLC0415

        return local.deploy(self, self.spec, self.secrets, self._before_upgrade)


def _keys(built: Deployment) -> pulumi.Output[dict[str, Any]]:
    """Access key and secret key of each bucket by its name; empty ones for a public bucket."""
    keys: dict[str, Any] = {
        bucket.name: {"access_key": bucket.access_key, "secret_key": bucket.secret_key}
        for bucket in built.buckets
    }
    return pulumi.Output.secret(keys)

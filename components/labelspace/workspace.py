"""The workspace: a validated wish turned into the parts of its target."""

from __future__ import annotations

import json
from typing import Any

import pulumi

from labelspace.contracts import Built
from labelspace.cvat.services import Secrets
from labelspace.generated import generated
from labelspace.spec import WorkspaceSpec, revealed


def declare(spec: WorkspaceSpec) -> None:
    """The whole program of a workspace's stack: declares it and exports its outputs."""
    workspace = Workspace(spec.name, spec)
    for name, value in workspace.outputs().items():
        pulumi.export(name, value)
    pulumi.export("settings", pulumi.Output.secret(json.dumps(revealed(spec), sort_keys=True)))


class Workspace(pulumi.ComponentResource):
    """A CVAT server with its admin, its dataset buckets and its annotation database, on the spec's target."""

    def __init__(self, name: str, spec: WorkspaceSpec, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("labelspace:index:Workspace", name, None, opts)
        self.spec = spec
        self.secrets = self._secrets()
        self.built = self._built()
        self.register_outputs(self.outputs())

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

    def _built(self) -> Built:
        """The target's room builds the parts; each room needs its own provider's package, no other."""
        if self.spec.target == "scaleway":
            from labelspace.scaleway import room as scaleway  # noqa: PLC0415

            return scaleway.build(self, self.spec, self.secrets)
        from labelspace.local import room as local  # noqa: PLC0415

        return local.build(self, self.spec, self.secrets)

    def _secrets(self) -> Secrets:
        name = self.spec.name
        return Secrets(
            database=generated(self, name, "database"),
            redis=generated(self, name, "redis"),
            cache=generated(self, name, "cache"),
            django=generated(self, name, "django", length=50),
            admin=self._admin_password(),
        )

    def _admin_password(self) -> pulumi.Output[str]:
        chosen = self.spec.admin.password
        if chosen is not None:
            return pulumi.Output.secret(chosen.get_secret_value())
        return generated(self, self.spec.name, "admin", length=20)


def _keys(built: Built) -> pulumi.Output[dict[str, Any]]:
    """Access key and secret key of each bucket by its name; empty ones for a public bucket."""
    keys: dict[str, Any] = {
        bucket.name: {"access_key": bucket.access_key, "secret_key": bucket.secret_key}
        for bucket in built.buckets
    }
    return pulumi.Output.secret(keys)

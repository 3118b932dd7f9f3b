"""Where on Scaleway a workspace lives: its project, region, names and tags."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pulumi

from labelspace.spec import ScalewaySpec, WorkspaceSpec


@dataclass(frozen=True)
class Place:
    """Hands every part of one workspace its names; ids are bare UUIDs."""

    workspace: str
    project: str
    organization: str
    region: str
    zone: str
    spec: ScalewaySpec

    @classmethod
    def find(cls, spec: WorkspaceSpec) -> Place:
        """The project and organization that the provider uses too; raises ``RunError`` naming what to set."""
        region = spec.scaleway.region
        return cls(
            workspace=spec.name,
            project=_setting("projectId", "SCW_DEFAULT_PROJECT_ID"),
            organization=_setting("organizationId", "SCW_DEFAULT_ORGANIZATION_ID"),
            region=region,
            zone=f"{region}-{spec.scaleway.zone}",
            spec=spec.scaleway,
        )

    @property
    def tags(self) -> list[str]:
        """What marks a resource as the workspace's."""
        return ["labelspace", f"labelspace-workspace={self.workspace}"]

    @property
    def backup_bucket(self) -> str:
        """Bucket names are shared by all of Scaleway's customers: the project makes it one's own."""
        return f"labelspace-{self.workspace}-{self.project[:8]}-backups"

    @property
    def endpoint(self) -> str:
        """Object Storage of the region, for plain S3 programs."""
        return f"https://s3.{self.region}.scw.cloud"

    def named(self, part: str = "") -> str:
        """The name of a resource in Scaleway's console."""
        return f"labelspace-{self.workspace}{'-' if part else ''}{part}"


def _setting(key: str, variable: str) -> str:
    """The environment first, as the provider does."""
    value = os.environ.get(variable) or pulumi.Config("scaleway").get(key)
    if not value:
        raise pulumi.RunError(f"{variable} is not set: set it, or `pulumi config set scaleway:{key} UUID`")
    return value

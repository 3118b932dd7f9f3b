"""Where on Scaleway a workspace lives: its project, region, names and tags."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from labelspace.spec import ScalewaySettings, ScalewaySpec
from labelspace.targets.scaleway import credentials


@dataclass(frozen=True)
class ScalewayContext:
    """Hands every part of one workspace its names; ids are bare UUIDs."""

    workspace: str
    prefix: str
    """The name of the workspace's component: resource names of its children begin with it."""
    project: pulumi.Input[str]
    """Where everything of it is."""
    account: str
    """The provider's own project: it holds DNS zones, and names the backup bucket."""
    organization: str
    region: str
    zone: str
    spec: ScalewaySettings

    @classmethod
    def find(cls, spec: ScalewaySpec, prefix: str) -> ScalewayContext:
        """The project and organization that the provider uses too; raises ``RunError`` naming what to set."""
        region, project = spec.scaleway.region, _setting("project")
        return cls(
            workspace=spec.name,
            prefix=prefix,
            project=project,
            account=project,
            organization=_setting("organization"),
            region=region,
            zone=f"{region}-{spec.scaleway.zone}",
            spec=spec.scaleway,
        )

    @property
    def tags(self) -> list[str]:
        """What marks a resource as the workspace's."""
        return ["labelspace", workspace_tag(self.workspace)]

    @property
    def backup_bucket(self) -> str:
        """Where dumps go."""
        return backup_bucket(self.workspace, self.account)

    @property
    def endpoint(self) -> str:
        """Object Storage of the region, for plain S3 programs."""
        return endpoint(self.region)

    def named(self, part: str = "") -> str:
        """The name of a resource in Scaleway's console."""
        return resource_name(self.workspace, part)


def resource_name(workspace: str, part: str = "") -> str:
    """The name of a workspace's resource in Scaleway's console; of its project, without ``part``."""
    return f"labelspace-{workspace}{'-' if part else ''}{part}"


def endpoint(region: str) -> str:
    """Object Storage of a region."""
    return f"https://s3.{region}.scw.cloud"


def workspace_tag(workspace: str) -> str:
    """What marks a resource as one workspace's."""
    return f"labelspace-workspace={workspace}"


def backup_bucket(workspace: str, account: str) -> str:
    """Bucket names are shared by all of Scaleway's customers: the account's project makes it one's own."""
    return f"labelspace-{workspace}-{account[:8]}-backups"


def _setting(field: str) -> str:
    """From where the provider takes it."""
    keys = ("profile", *(one.config for one in credentials.FIELDS.values()))
    config = pulumi.Config("scaleway")
    try:
        value = credentials.lookup(field, {key: config.get(key) or "" for key in keys})
    except credentials.NoProfileError as error:
        raise pulumi.RunError(f"Scaleway account: {error}") from None
    if not value:
        names = credentials.FIELDS[field]
        raise pulumi.RunError(
            f"{names.variable} is not set: set it, or `pulumi config set scaleway:{names.config} UUID`"
        )
    return value

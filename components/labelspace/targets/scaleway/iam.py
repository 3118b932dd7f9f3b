"""Who the server is to Scaleway: an application whose key works from the workspace's own address alone."""

from __future__ import annotations

import pulumi
import pulumiverse_scaleway as scaleway

from labelspace.targets.scaleway.context import ScalewayContext

RIGHTS = (
    "ObjectStorageObjectsRead",
    "ObjectStorageBucketsRead",
    "ObjectStorageObjectsWrite",
    "SecretManagerSecretAccess",
)
"""Reads the datasets, writes its dumps, fetches its secrets; deletes nothing."""
EXPIRES = "ObjectStorageObjectsDelete"
"""pgBackRest ends old backups, restic its own locks; the bucket keeps what was deleted as old versions."""


class Identity(pulumi.ComponentResource):
    """The server's application, its rights in the project, its key; ``expires``: it may delete objects."""

    def __init__(
        self,
        name: str,
        *,
        context: ScalewayContext,
        address: pulumi.Input[str],
        expires: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:scaleway:Identity", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.application = scaleway.iam.Application(
            f"{name}-application",
            name=context.named(),
            description=f"server of the labeling workspace {context.workspace}",
            organization_id=context.organization,
            tags=context.tags,
            opts=child,
        )
        from_its_address = pulumi.Output.from_input(address).apply(lambda ip: f"request.ip == '{ip}'")
        policy = scaleway.iam.Policy(
            f"{name}-policy",
            name=context.named(),
            application_id=self.application.id,
            organization_id=context.organization,
            rules=[
                scaleway.iam.PolicyRuleArgs(
                    permission_set_names=[*RIGHTS, *([EXPIRES] if expires else [])],
                    project_ids=[context.project],
                    condition=from_its_address,
                )
            ],
            tags=context.tags,
            opts=child,
        )
        self.key = scaleway.iam.ApiKey(
            f"{name}-key",
            application_id=self.application.id,
            default_project_id=context.project,
            description=f"server of the labeling workspace {context.workspace}",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({"application": self.application.id})

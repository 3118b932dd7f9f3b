"""The server's identity at Scaleway: an application whose key works from the workspace's address only."""

from __future__ import annotations

import pulumi
import pulumiverse_scaleway as scaleway

from labelspace.targets.scaleway.context import ScalewayContext

STORAGE = ("ObjectStorageObjectsRead", "ObjectStorageBucketsRead", "ObjectStorageObjectsWrite")
"""Reads the datasets and writes its dumps, in the buckets of the project; deletes nothing."""
SECRET = "SecretManagerSecretAccess"  # noqa: S105 - a permission set
"""Reads the content of the workspace's own secret."""
SECRET_TYPE = "opaque"  # noqa: S105 - Secret Manager's word for bytes of any kind
EXPIRES = "ObjectStorageObjectsDelete"
"""pgBackRest ends old backups, restic its own locks; the bucket keeps what was deleted as old versions."""


class Identity(pulumi.ComponentResource):
    """The server's application, its rights, its key and its secret; ``expires``: it may delete objects."""

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
        self.secret = self._secret(name, context)
        policy = self._policy(name, context, address, STORAGE + ((EXPIRES,) if expires else ()))
        self.key = scaleway.iam.ApiKey(
            f"{name}-key",
            application_id=self.application.id,
            default_project_id=context.project,
            description=f"server of the labeling workspace {context.workspace}",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({"application": self.application.id})

    def _secret(self, name: str, context: ScalewayContext) -> scaleway.secrets.Secret:
        """Secret Manager's place for the secret files of the containers; the server adds their content."""
        return scaleway.secrets.Secret(
            f"{name}-secrets",
            name=context.named(),
            description=f"files of the labeling workspace {context.workspace}",
            type=SECRET_TYPE,
            region=context.region,
            project_id=context.project,
            tags=context.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _policy(
        self,
        name: str,
        context: ScalewayContext,
        address: pulumi.Input[str],
        storage: tuple[str, ...],
    ) -> scaleway.iam.Policy:
        """Storage in the project, and one secret; conditions on a resource exist for Secret Manager alone.

        Source: Scaleway's page on resource-level conditions (2026-07-13).
        """
        conditions = pulumi.Output.all(address, self.secret.id).apply(lambda known: _conditions(*known))
        rules = [
            scaleway.iam.PolicyRuleArgs(
                permission_set_names=list(sets),
                project_ids=[context.project],
                condition=conditions[index],
            )
            for index, sets in enumerate((storage, (SECRET,)))
        ]
        return scaleway.iam.Policy(
            f"{name}-policy",
            name=context.named(),
            application_id=self.application.id,
            organization_id=context.organization,
            rules=rules,
            tags=context.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _conditions(address: str, secret: str) -> tuple[str, str]:
    """Conditions of the rules for storage and for the secret, whose id comes as ``REGION/UUID``."""
    from_its_address = f"request.ip == '{address}'"
    return from_its_address, f"{from_its_address} && resource.id == '{secret.rpartition('/')[2]}'"

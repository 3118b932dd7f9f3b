"""A Scaleway project of the workspace's own: IAM's rights end at its border."""

from __future__ import annotations

from dataclasses import replace

import pulumi
import pulumiverse_scaleway as scaleway

from labelspace.targets.scaleway.context import ScalewayContext


def project_context(workspace: pulumi.Resource, context: ScalewayContext) -> ScalewayContext:
    """``context`` unchanged for the shared Scaleway project, else with one that is made or adopted.

    The project outlives the workspace: it holds data, and Scaleway deletes empty projects alone.
    """
    if context.spec.project == "shared":
        return context
    made = scaleway.account.Project(
        f"{context.prefix}-project",
        name=context.named(),
        description=f"labeling workspace {context.workspace}",
        organization_id=context.organization,
        opts=pulumi.ResourceOptions(
            parent=workspace, retain_on_delete=True, import_=context.spec.adopt_project
        ),
    )
    return replace(context, project=made.id)

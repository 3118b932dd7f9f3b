"""A project of the workspace's own: IAM's rights end at its border."""

from __future__ import annotations

from dataclasses import replace

import pulumi
import pulumiverse_scaleway as scaleway

from labelspace.targets.scaleway.context import ScalewayContext


def project_context(workspace: pulumi.Resource, place: ScalewayContext) -> ScalewayContext:
    """``place`` as it is in the shared project, or moved into a project that is made or taken up.

    The project stays when the workspace goes: Scaleway removes empty ones alone, and data is kept in it.
    """
    if place.spec.project == "shared":
        return place
    made = scaleway.account.Project(
        f"{place.workspace}-project",
        name=place.named(),
        description=f"labeling workspace {place.workspace}",
        organization_id=place.organization,
        opts=pulumi.ResourceOptions(
            parent=workspace, retain_on_delete=True, import_=place.spec.adopt_project
        ),
    )
    return replace(place, project=made.id)

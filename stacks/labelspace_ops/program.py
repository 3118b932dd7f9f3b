"""The whole program of a workspace's stack: the workspace, then the labels of its file."""

from __future__ import annotations

import pulumi

from labelspace.spec import WorkspaceSpec
from labelspace.workspace import Workspace
from labelspace.workspace import declare as declare_workspace
from labelspace_ops.backup import upgrade
from labelspace_ops.labels import shape
from labelspace_ops.labels.model import LabelsFile, slug


def declare(spec: WorkspaceSpec, labels: LabelsFile) -> None:
    """Declare the workspace and a ``CvatProject`` for each project of the file, once it is ready."""
    workspace = declare_workspace(spec, before_upgrade=upgrade.hook)
    if labels.projects:
        _declare_projects(workspace, labels)


def _declare_projects(workspace: Workspace, labels: LabelsFile) -> None:
    from labelspace_ops.labels.resource import CvatProject  # noqa: PLC0415 - only where there are labels

    spec = workspace.spec
    for project in labels.projects:
        CvatProject(
            f"{spec.name}-{slug(project.name)}",
            project=project.name,
            labels=shape.wished(project),
            renamed=shape.renamed(project),
            drop=project.drop,
            url=workspace.built.api_url,
            username=spec.admin.username,
            password=workspace.secrets.admin,
            running=spec.running,
            opts=pulumi.ResourceOptions(depends_on=[workspace]),
        )

"""The Pulumi program of a workspace's stack: it declares the workspace and its CVAT projects.

``pulumi up`` runs it by ``stacks/__main__.py``; `labelspace` runs it in its own process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi

from labelspace.outputs import BeforeUpgrade
from labelspace.spec import SpecError, WorkspaceSpec, parse_setting, parse_spec, setting_names
from labelspace.workspace import Workspace
from labelspace.workspace import declare as declare_workspace
from labelspace_ops.core.errors import OpsError
from labelspace_ops.labels import labels_file, normalized
from labelspace_ops.labels.model import LabelsFile, slug
from labelspace_ops.runtime import container_images


def run(
    *, before_upgrade: BeforeUpgrade | None = None, check: Callable[[WorkspaceSpec], None] | None = None
) -> None:
    """Declare the selected stack; invalid settings end here, with each reason in one line.

    ``before_upgrade``: called before another version of CVAT is used. ``check``: the target's own refusals.
    """
    try:
        spec = read_spec()
        if check:
            check(spec)
        labels = labels_file.load(spec.name)
    except (SpecError, OpsError) as error:
        raise pulumi.RunError(f"settings of stack {pulumi.get_stack()}:\n{error}") from None
    declare(spec, labels, before_upgrade=before_upgrade)


def read_spec() -> WorkspaceSpec:
    """The stack's settings under ``labelspace:``; the stack's name is the workspace's."""
    config = pulumi.Config("labelspace")
    values: dict[str, object] = {"name": pulumi.get_stack()}
    for key in setting_names():
        text = config.get(key)
        if text is not None:
            values[key] = parse_setting(key, text)
    return parse_spec(values)


def declare(spec: WorkspaceSpec, labels: LabelsFile, *, before_upgrade: BeforeUpgrade | None = None) -> None:
    """Declare the workspace and a ``CvatProject`` for each project of the file, once it is ready."""
    workspace = declare_workspace(spec, before_upgrade=before_upgrade)
    if workspace.deployment.on_this_engine:
        pulumi.export("images", _image_digests(workspace))
    if labels.projects:
        _declare_projects(workspace, labels)


def _image_digests(workspace: Workspace) -> pulumi.Output[Any]:
    """The digests of the images in use, by name: measured by an update, recorded for a preview."""
    name, previews = workspace.spec.name, pulumi.runtime.is_dry_run()
    record = pulumi.Stash(
        f"{name}-images",
        input=workspace.url.apply(lambda _: {} if previews else container_images.digests(name)),
        opts=pulumi.ResourceOptions(parent=workspace, ignore_changes=["input"] if previews else None),
    )
    return record.input


def _declare_projects(workspace: Workspace, labels: LabelsFile) -> None:
    from labelspace_ops.labels.cvat_project import CvatProject  # noqa: PLC0415 - only where there are labels

    spec = workspace.spec
    for project in labels.projects:
        CvatProject(
            f"{spec.name}-{slug(project.name)}",
            project=project.name,
            labels=normalized.desired(project),
            renamed=normalized.renamed(project),
            allow_delete=project.allow_delete,
            url=workspace.deployment.api_url,
            username=spec.admin.username,
            password=workspace.secrets.admin,
            running=spec.running,
            opts=pulumi.ResourceOptions(depends_on=[workspace]),
        )

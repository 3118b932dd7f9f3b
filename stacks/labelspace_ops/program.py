"""The whole program of a workspace's stack: its wish and labels are read, and both are declared.

``pulumi up`` runs it by ``stacks/__main__.py``; `labelspace` runs it in its own process.
"""

from __future__ import annotations

import pulumi

from labelspace.contracts import BeforeUpgrade
from labelspace.spec import SpecError, WorkspaceSpec, parse_spec, setting
from labelspace.workspace import Workspace
from labelspace.workspace import declare as declare_workspace
from labelspace_ops.backup import upgrade
from labelspace_ops.errors import OpsError
from labelspace_ops.labels import file as labels_file
from labelspace_ops.labels import shape
from labelspace_ops.labels.model import LabelsFile, slug


def run(*, before_upgrade: BeforeUpgrade | None = upgrade.hook, looked: bool = False) -> None:
    """Declare the selected stack; a wish that cannot be granted ends here, with each reason in one line.

    ``before_upgrade``: what is asked before another version of CVAT; None where it was asked already.
    ``looked``: whether the account at Scaleway was looked at already.
    """
    try:
        spec = wish()
        if spec.target == "scaleway":
            _possible_there(spec, looked=looked)
            if before_upgrade and not pulumi.runtime.is_dry_run():
                _upgradable_there(spec)
        labels = labels_file.of(spec.name)
    except (SpecError, OpsError) as error:
        raise pulumi.RunError(f"settings of stack {pulumi.get_stack()}:\n{error}") from None
    declare(spec, labels, before_upgrade=before_upgrade)


def wish() -> WorkspaceSpec:
    """The stack's settings under ``labelspace:``; the stack's name is the workspace's."""
    config = pulumi.Config("labelspace")
    values: dict[str, object] = {"name": pulumi.get_stack()}
    for key in WorkspaceSpec.model_fields.keys() - {"name"}:
        text = config.get(key)
        if text is not None:
            values[key] = setting(key, text)
    return parse_spec(values)


def _possible_there(spec: WorkspaceSpec, *, looked: bool) -> None:
    """Raises for a type that is not offered, and for what the account holds under the name already."""
    from labelspace.scaleway import on_server  # noqa: PLC0415 - the other target needs none
    from labelspace.scaleway.prices import total  # noqa: PLC0415
    from labelspace_ops.cloud import guard  # noqa: PLC0415

    total(spec)
    if not looked:
        guard.look(spec)
    if spec.scaleway.database == "server":
        on_server.key(spec)


def _upgradable_there(spec: WorkspaceSpec) -> None:
    """The server, which an update replaces, cannot be what asks: the program does (ADR 10)."""
    from labelspace_ops.cloud import upgrade as there  # noqa: PLC0415 - the other target needs none

    there.hook(spec)


def declare(
    spec: WorkspaceSpec, labels: LabelsFile, *, before_upgrade: BeforeUpgrade | None = upgrade.hook
) -> None:
    """Declare the workspace and a ``CvatProject`` for each project of the file, once it is ready."""
    workspace = declare_workspace(spec, before_upgrade=before_upgrade)
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

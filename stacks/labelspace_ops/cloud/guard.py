"""Asked by a stack's program before it declares anything: what would lose sight of data is refused."""

from __future__ import annotations

from labelspace.home import Home
from labelspace.scaleway.prices import VOLUME_GB
from labelspace.spec import WorkspaceSpec
from labelspace_ops import state
from labelspace_ops.cloud import account, earlier, left
from labelspace_ops.errors import OpsError, UsageError

SET = "pulumi config set --path labelspace:scaleway."


def look(spec: WorkspaceSpec) -> None:
    """For plain `pulumi up` and `preview`; raises ``UsageError`` that says how to take up what was left."""
    home = Home.find()
    try:
        resources = state.resources(spec.name, home)
    except OpsError:
        return  # the state is where this machine's labelspace does not look: nothing is known of the stack
    left.same_project(spec, resources)
    left.same_volume(spec, resources)
    left.same_database(spec, resources)
    volume = bool(left.of_kind(resources, left.VOLUME) or spec.scaleway.adopt_volume)
    if volume and left.kind_of_database(resources):
        return
    mine = account.of(spec.name, home)
    project = _project(mine, spec, resources)
    earlier.same_database(mine, spec, project, resources)
    if not volume:
        _no_volume(mine, spec, project, resources)


def _no_volume(mine: account.Account, spec: WorkspaceSpec, project: str, resources: left.Resources) -> None:
    found = left.volume_of(mine, spec, project, resources)
    if found:
        size = int(found["size"]) // left.GB
        raise UsageError(
            f"an earlier {spec.name} left the data volume {found['id']} ({size} GB,"
            f" {size * VOLUME_GB:.2f} EUR a month): take it up by `{SET}adopt_volume {found['id']}` and"
            f" `{SET}data_gb {max(size, spec.scaleway.data_gb)}`, or remove it in Scaleway's console"
        )


def _project(mine: account.Account, spec: WorkspaceSpec, resources: left.Resources) -> str:
    if spec.scaleway.project == "shared":
        return mine.project
    found = left.project_of(mine, spec, resources)
    if found and not spec.scaleway.adopt_project and not left.of_kind(resources, left.PROJECT):
        raise UsageError(
            f"an earlier {spec.name} left its project {found}: take it up by `{SET}adopt_project {found}`, or"
            " rename it in Scaleway's console"
        )
    return found

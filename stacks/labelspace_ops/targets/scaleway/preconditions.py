"""Asked by a stack's program before it declares anything: what would lose sight of data is refused."""

from __future__ import annotations

import pulumi

from labelspace.home import Home
from labelspace.spec import ScalewaySpec
from labelspace.targets.scaleway import database_on_server
from labelspace.targets.scaleway.prices import VOLUME_GB, total
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.stack import state
from labelspace_ops.targets.scaleway import account, earlier_database, retained, upgrade

SET = "pulumi config set --path labelspace:scaleway."


def check_program(spec: ScalewaySpec, *, checked: bool, rehearsed: bool) -> None:
    """Raise for a type that is not offered, for what the account holds already, for a failed rehearsal.

    ``checked``: the account was asked already. ``rehearsed``: so was another version of CVAT.
    """
    total(spec)
    if not checked:
        check(spec)
    if spec.scaleway.database == "server":
        database_on_server.encryption_key(spec)
    if not rehearsed and not pulumi.runtime.is_dry_run():
        upgrade.hook(spec)  # the server, which the update replaces, cannot be what asks (ADR 10)


def check(spec: ScalewaySpec) -> None:
    """For plain `pulumi up` and `preview`; raises ``UsageError`` that says how to take up what was left."""
    home = Home.find()
    try:
        resources = state.resources(spec.name, home)
    except OpsError:
        return  # the state is where this machine's labelspace does not look: nothing is known of the stack
    retained.same_project(spec, resources)
    retained.same_volume(spec, resources)
    retained.same_database(spec, resources)
    volume = bool(retained.resources_of_type(resources, retained.VOLUME) or spec.scaleway.adopt_volume)
    if volume and retained.kind_of_database(resources):
        return
    mine = account.for_workspace(spec.name, home)
    project = _project(mine, spec, resources)
    earlier_database.same_database(mine, spec, project, resources)
    if not volume:
        _no_volume(mine, spec, project, resources)


def _no_volume(
    mine: account.Account, spec: ScalewaySpec, project: str, resources: retained.Resources
) -> None:
    found = retained.volume_of(mine, spec, project, resources)
    if found:
        size = int(found["size"]) // retained.GB
        raise UsageError(
            f"an earlier {spec.name} left the data volume {found['id']} ({size} GB,"
            f" {size * VOLUME_GB:.2f} EUR a month): take it up by `{SET}adopt_volume {found['id']}` and"
            f" `{SET}data_gb {max(size, spec.scaleway.data_gb)}`, or remove it in Scaleway's console"
        )


def _project(mine: account.Account, spec: ScalewaySpec, resources: retained.Resources) -> str:
    if spec.scaleway.project == "shared":
        return mine.project
    found = retained.project_of(mine, spec, resources)
    if (
        found
        and not spec.scaleway.adopt_project
        and not retained.resources_of_type(resources, retained.PROJECT)
    ):
        raise UsageError(
            f"an earlier {spec.name} left its project {found}: take it up by `{SET}adopt_project {found}`, or"
            " rename it in Scaleway's console"
        )
    return found

"""Checks of a stack's program before it declares resources: it refuses to lose sight of data."""

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
    """Raise for an unknown type, for retained data that is not reused, for a failed upgrade test.

    ``checked``: the account was checked before. ``rehearsed``: an upgrade of CVAT was tested before.
    """
    total(spec)
    if not checked:
        check(spec)
    if spec.scaleway.database == "server":
        database_on_server.encryption_key(spec)
    if not rehearsed and not pulumi.runtime.is_dry_run():
        upgrade.hook(spec)  # before the update replaces the server (ADR 10)


def check(spec: ScalewaySpec) -> None:
    """Check the account for plain `pulumi up`; raise ``UsageError`` that says how to reuse retained data."""
    home = Home.find()
    try:
        resources = state.resources(spec.name, home)
    except OpsError:
        return  # the state is in a backend that this machine does not read
    retained.same_project(spec, resources)
    retained.same_volume(spec, resources)
    retained.same_database(spec, resources)
    volume = bool(retained.resources_of_type(resources, retained.VOLUME) or spec.scaleway.adopt_volume)
    if volume and retained.kind_of_database(resources):
        return
    cloud = account.for_workspace(spec.name, home)
    project = _project(cloud, spec, resources)
    earlier_database.same_database(cloud, spec, project, resources)
    if not volume:
        _refuse_retained_volume(cloud, spec, project, resources)


def _refuse_retained_volume(
    cloud: account.Account, spec: ScalewaySpec, project: str, resources: retained.Resources
) -> None:
    found = retained.volume_of(cloud, spec, project, resources)
    if found:
        size = found.size // retained.GB
        raise UsageError(
            f"an earlier {spec.name} left the data volume {found.id} ({size} GB,"
            f" {size * VOLUME_GB:.2f} EUR a month): reuse it with `{SET}adopt_volume {found.id}` and"
            f" `{SET}data_gb {max(size, spec.scaleway.data_gb)}`, or remove it in Scaleway's console"
        )


def _project(cloud: account.Account, spec: ScalewaySpec, resources: retained.Resources) -> str:
    if spec.scaleway.project == "shared":
        return cloud.project
    found = retained.project_of(cloud, spec, resources)
    if (
        found
        and not spec.scaleway.adopt_project
        and not retained.resources_of_type(resources, retained.PROJECT)
    ):
        raise UsageError(
            f"an earlier {spec.name} left its project {found}: reuse it with `{SET}adopt_project {found}`, or"
            " rename it in Scaleway's console"
        )
    return found

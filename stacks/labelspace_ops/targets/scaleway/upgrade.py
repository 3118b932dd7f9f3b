"""Another version of CVAT on Scaleway: rehearsed on the old server, where that lets this machine in."""

from __future__ import annotations

import json

from labelspace.cvat.images import cvat_image
from labelspace.cvat.services import BACKEND_ENVIRONMENT
from labelspace.home import Home
from labelspace.spec import ScalewaySpec
from labelspace_ops.backup import upgrade
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import message
from labelspace_ops.stack import state
from labelspace_ops.targets.scaleway import server_database
from labelspace_ops.targets.scaleway import ssh as server_ssh


def hook(spec: ScalewaySpec) -> None:
    """For a stack's program, before it declares anything: as ``before``."""
    old, copy = before(spec, Home.find())
    if copy:
        way = upgrade.way_back(spec.name, old, copy)
        message(f"{spec.name}: from before the upgrade: {copy}; if it fails all the same: {way}")


def before(spec: ScalewaySpec, home: Home) -> tuple[str, str]:
    """Back up and rehearse when the version changes: the old one, and the copy from before, or empty.

    Raises ``OpsError`` before anything was changed.
    """
    try:
        resources = state.resources(spec.name, home)
    except OpsError:
        return "", ""  # a new stack, or one whose state is where this machine's labelspace does not look
    outputs = state.stack_outputs(resources)
    old = str(outputs.get("cvat_version", ""))
    if not old or old == spec.cvat_version:
        return old, ""
    if spec.scaleway.database == "server":
        return old, server_database.test_upgrade(spec, old, home, resources)
    upgrade.refuse_older(spec.cvat_version, old)
    return old, _rehearsed(spec, old, home, json.loads(outputs["settings"]))


def _rehearsed(spec: ScalewaySpec, old: str, home: Home, settings: dict[str, object]) -> str:
    """The dump that a managed database's upgrade was rehearsed with; empty where nobody could be asked."""
    name, version = spec.name, spec.cvat_version
    server, why = _asked(name, home, settings)
    if server is None:
        message(f"{name}: CVAT {old} -> {version}: not rehearsed: {why}")
        return ""
    message(f"{name}: CVAT {old} -> {version}: a dump, and a rehearsal on a copy of it")
    try:
        image = cvat_image("server", version)
        rehearsed = server_ssh.call(server, "rehearse", image=image, environment=_environment())
    except OpsError as error:
        why = str(error).removeprefix(f"{name}: ")
        raise OpsError(
            f"cvat_version: {version}: the rehearsal failed: {why}. Nothing was changed:"
            f" {name} stays at {old}"
        ) from None
    return str(rehearsed["id"])


def _asked(name: str, home: Home, settings: dict[str, object]) -> tuple[server_ssh.Server | None, str]:
    """The server, when it can rehearse; else why not."""
    if not server_ssh.ssh_allowed(settings):
        return None, "it is stopped, or scaleway.ssh_cidrs lets nobody in"
    server = server_ssh.server_of(name, home)
    try:
        server.run("bash", "-c", "command -v labelspace-backup")
    except OpsError as error:
        return None, str(error)
    return server, ""


def _environment() -> dict[str, str]:
    """What the new version needs to migrate; without the workspace's overlay, which is not there."""
    return {key: value for key, value in BACKEND_ENVIRONMENT.items() if key != "DJANGO_SETTINGS_MODULE"}

"""Upgrade of CVAT on Scaleway: tested on the old server first, if that allows SSH from this machine."""

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
    """Back up and test an upgrade; a stack's program calls this before it declares resources."""
    old, copy = before(spec, Home.find())
    if copy:
        how_to_return = upgrade.way_back(spec.name, old, copy)
        message(f"{spec.name}: backup before the upgrade: {copy}; if the upgrade fails: {how_to_return}")


def before(spec: ScalewaySpec, home: Home) -> tuple[str, str]:
    """Back up and test the upgrade when the version changes; return the old version and the backup, or empty.

    Raises ``OpsError`` before anything is changed.
    """
    try:
        resources = state.resources(spec.name, home)
    except OpsError:
        return "", ""  # a new stack, or a state in a backend that this machine does not read
    outputs = state.stack_outputs(resources)
    old = str(outputs.get("cvat_version", ""))
    if not old or old == spec.cvat_version:
        return old, ""
    if spec.scaleway.database == "server":
        return old, server_database.test_upgrade(spec, old, home, resources)
    upgrade.refuse_older(spec.cvat_version, old)
    return old, _test_managed(spec, old, home, json.loads(outputs["settings"]))


def _test_managed(spec: ScalewaySpec, old: str, home: Home, settings: dict[str, object]) -> str:
    """Test a managed database's upgrade on the server; return the dump, empty when the server cannot."""
    name, version = spec.name, spec.cvat_version
    server, reason = _server_or_reason(name, home, settings)
    if server is None:
        message(f"{name}: CVAT {old} -> {version}: not rehearsed: {reason}")
        return ""
    message(f"{name}: CVAT {old} -> {version}: a dump, and a rehearsal on a copy of it")
    try:
        image = cvat_image("server", version)
        rehearsed = server_ssh.call(server, "rehearse", image=image, environment=_environment())
    except OpsError as error:
        reason = str(error).removeprefix(f"{name}: ")
        raise OpsError(
            f"cvat_version: {version}: the rehearsal failed: {reason}. Nothing was changed:"
            f" {name} stays at {old}"
        ) from None
    return str(rehearsed["id"])


def _server_or_reason(
    name: str, home: Home, settings: dict[str, object]
) -> tuple[server_ssh.Server | None, str]:
    """Return the server when it can test the upgrade, else None and the reason."""
    if not server_ssh.ssh_allowed(settings):
        return None, "it is stopped, or scaleway.ssh_cidrs is empty"
    server = server_ssh.server_of(name, home)
    try:
        server.run("bash", "-c", "command -v labelspace-backup")
    except OpsError as error:
        return None, str(error)
    return server, ""


def _environment() -> dict[str, str]:
    """Return the environment of the migration; the workspace's Django settings are not on the server."""
    return {key: value for key, value in BACKEND_ENVIRONMENT.items() if key != "DJANGO_SETTINGS_MODULE"}

"""Another version of CVAT on Scaleway: rehearsed on the old server, where that lets this machine in."""

from __future__ import annotations

import json
import re

from labelspace.cvat.images import of_cvat
from labelspace.cvat.services import BACKEND_ENVIRONMENT
from labelspace.home import Home
from labelspace.spec import WorkspaceSpec
from labelspace_ops import state
from labelspace_ops.backup import upgrade
from labelspace_ops.cloud import far
from labelspace_ops.commands.app import say
from labelspace_ops.errors import OpsError

SAID = "labelspace: rehearse: "
"""What the server puts before its reason."""
REHEARSED = re.compile(r"rehearsed with dump (\S+)")


def before(spec: WorkspaceSpec, home: Home) -> None:
    """Asked by a stack's program in an update; raises ``OpsError`` before anything was changed."""
    name, version = spec.name, spec.cvat_version
    try:
        outputs = state.outputs(name, home)
    except OpsError:
        return  # the state is where this machine's labelspace does not look
    old = str(outputs.get("cvat_version", ""))
    if not old or old == version:
        return
    upgrade.refuse_older(version, old)
    server, why = _asked(name, home, json.loads(outputs["settings"]))
    if server is None:
        say(f"{name}: CVAT {old} -> {version}: not rehearsed: {why}")
        return
    say(f"{name}: CVAT {old} -> {version}: a dump, and a rehearsal on a copy of it")
    try:
        found = REHEARSED.search(
            server.run("labelspace-rehearse", of_cvat("server", version), *_environment())
        )
    except OpsError as error:
        why = str(error).rpartition(SAID)[2]
        raise OpsError(
            f"cvat_version: {version}: the rehearsal failed: {why}. Nothing was changed:"
            f" {name} stays at {old}"
        ) from None
    if found:
        say(f"{name}: rehearsed; if it fails all the same: {upgrade.way_back(name, old, found[1])}")


def _asked(name: str, home: Home, settings: dict[str, object]) -> tuple[far.Server | None, str]:
    """The server, when it can rehearse; else why not."""
    if not far.lets_in(settings):
        return None, "it is stopped, or scaleway.admin_cidrs lets nobody in"
    server = far.server(name, home)
    try:
        server.run("bash", "-c", "command -v labelspace-rehearse")
    except OpsError as error:
        return None, str(error)
    return server, ""


def _environment() -> list[str]:
    """What the new version needs to migrate; without the workspace's overlay, which is not there."""
    needed = {key: value for key, value in BACKEND_ENVIRONMENT.items() if key != "DJANGO_SETTINGS_MODULE"}
    return [f"{key}={value}" for key, value in needed.items()]

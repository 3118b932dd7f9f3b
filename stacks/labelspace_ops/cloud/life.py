"""The life of a workspace on Scaleway: made, stopped, deleted."""

from __future__ import annotations

from typing import Any

from pulumi import automation as auto

from labelspace.home import Home
from labelspace.scaleway.prices import VOLUME_GB
from labelspace.spec import WorkspaceSpec
from labelspace_ops import locks, program, progress, stack, state
from labelspace_ops.cloud import account, left
from labelspace_ops.cloud.costs import costs
from labelspace_ops.commands.app import say
from labelspace_ops.errors import UsageError


def completed(spec: WorkspaceSpec, mine: account.Account, resources: left.Resources) -> WorkspaceSpec:
    """The wish with what only the account knows: who provisions, and what of it is there already."""
    _same_project(spec, resources)
    who = spec.scaleway.provisioner or ":".join(mine.who())
    wished, project = left.with_project(mine, left.changed(spec, provisioner=who), resources)
    return left.with_buckets(mine, wished, project, resources)


def _same_project(spec: WorkspaceSpec, resources: left.Resources) -> None:
    """In another project everything would be another: an empty database, and buckets that are not there."""
    made = any(one["type"].startswith("scaleway:") for one in resources)
    now = "own" if left.of_kind(resources, left.PROJECT) else "shared"
    if made and now != spec.scaleway.project:
        raise UsageError(
            f"scaleway.project: {spec.scaleway.project!r}: {spec.name} lives in a project that is {now}, and"
            " nothing moves between projects: make another workspace, or leave it as it is"
        )


def known(name: str, home: Home) -> left.Resources:
    """What the stack of a name knows to exist; nothing when there is none."""
    return state.resources(name, home) if name in state.names(home) else []


def _account(name: str, home: Home) -> account.Account:
    return account.of(name, home) if name in state.names(home) else account.find()


def wished(spec: WorkspaceSpec, home: Home) -> WorkspaceSpec:
    """``completed`` for a workspace of this machine, new or not."""
    return completed(spec, _account(spec.name, home), known(spec.name, home))


def create(spec: WorkspaceSpec, home: Home) -> auto.Stack:
    """Make the workspace, or take it up where an earlier attempt ended."""
    cost = costs(spec)
    with locks.hold(home, spec.name, "creating"):
        whole = wished(spec, home)
        chosen = stack.create_or_select(spec.name, home)
        stack.write_settings(chosen, whole)
        locks.clear_stale(home, chosen)
        say(f"  costs {cost}")
        stack.update(chosen, program.run, progress.Resources().on_event)
    return chosen


def stop(name: str, home: Home) -> dict[str, Any]:
    """Stop the server, which then costs nothing; everything else stays, and is paid on."""
    chosen = stack.select(name, home)
    with locks.hold(home, name, "stopping"):
        locks.clear_stale(home, chosen)
        stack.set_running(chosen, running=False)
        stack.update(chosen, program.run, progress.Resources().on_event)
    where = state.outputs(name, home)["backups"]["where"]
    return {"name": name, "status": "stopped", "backed_up": False, "backups": where}


def delete(name: str, home: Home) -> dict[str, Any]:
    """Remove all that is paid by the hour; says what stays and what that costs."""
    chosen = stack.select(name, home)
    spec = stack.read_settings(chosen)
    size = int(spec.get("scaleway", {}).get("data_gb", 50))
    backups = state.outputs(name, home).get("backups", {})
    with locks.hold(home, name, "deleting"):
        locks.clear_stale(home, chosen)
        stack.destroy(chosen, progress.Resources().on_event)
        chosen.workspace.remove_stack(name)
    kept = f"volume labelspace-{name}-data ({size * VOLUME_GB:.2f} EUR a month), its buckets"
    return {"name": name, "backed_up": False, "backups": backups.get("where"), "purged": False, "kept": kept}

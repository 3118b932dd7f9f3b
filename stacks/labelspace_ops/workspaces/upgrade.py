"""Upgrade CVAT in a workspace: the way there, what it changes, a rehearsal, and the upgrade itself."""

from __future__ import annotations

from labelspace.cvat_lines import (
    MEANING,
    all_lines,
    default_version,
    line_of,
    lines_between,
    order,
    removed_on_purpose,
    stops,
)
from labelspace.home import Home
from labelspace.spec import Settings, WorkspaceSpec
from labelspace_ops.backup.models import Rehearsal
from labelspace_ops.backup.upgrade import refuse_older
from labelspace_ops.core import locks
from labelspace_ops.core.errors import UsageError
from labelspace_ops.core.models import JsonModel
from labelspace_ops.stack import state
from labelspace_ops.targets import registry
from labelspace_ops.targets.status import Status
from labelspace_ops.workspaces import lifecycle


class UpgradePlan(JsonModel):
    """What an upgrade of CVAT would do."""

    name: str
    """The workspace."""
    version: str
    """The version that runs."""
    to: str
    """The version to upgrade to; the running one when there is nothing to do."""
    way: list[str]
    """Versions that must be installed one after the other; the last is ``to``."""
    state: str
    """``proven``, ``run``, ``read`` or ``unread``: how well labelspace is tested with ``to``."""
    unknown: str
    """What is not known of ``to``; empty for nothing."""
    needs_permission: bool
    """Whether ``to`` needs ``allow_untested_cvat``."""
    news: list[str]
    """What changes for users, by version."""
    drops: list[str]
    """Columns and tables that the migrations remove on purpose."""
    untested: str
    """The newest version that is known and untested, when it is newer than ``to``; else empty."""


class Upgrade(JsonModel):
    """The result of ``labelspace upgrade``: the plan, and what was done."""

    plan: UpgradePlan
    """The plan."""
    rehearsed: Rehearsal | None = None
    """With ``--rehearse``: its result; null where the target rehearses within the upgrade alone."""
    status: Status | None = None
    """The workspace after the upgrade; null when none was made."""


def plan(name: str, version: str, home: Home) -> UpgradePlan:
    """Plan an upgrade to ``version``, by default the newest tested one; raises ``UsageError``."""
    old = str(state.require_outputs(name, home)["cvat_version"])
    to = version.removeprefix("v") or max(old, default_version(), key=order)
    lifecycle.validate(
        {"name": name, "buckets": [{"name": "any"}], "cvat_version": to, "allow_untested_cvat": True}
    )
    refuse_older(to, old)
    line, removed = line_of(to), removed_on_purpose(old, to)
    try:
        way = stops(old, to) if to != old else ()
    except ValueError as error:
        raise UsageError(f"cvat_version: {to!r}: {error}") from None
    newest = all_lines()[-1].newest
    return UpgradePlan(
        name=name,
        version=old,
        to=to,
        way=list(way),
        state=line.state,
        unknown=line.unknown,
        needs_permission=not line.tested,
        news=[f"{passed.name}: {text}" for passed in lines_between(old, to) for text in passed.news],
        drops=[
            *(f"{table}.{column}" for table, columns in removed.columns.items() for column in columns),
            *removed.tables,
        ],
        untested=newest if order(newest) > order(to) else "",
    )


def rehearse(planned: UpgradePlan, home: Home) -> Rehearsal | None:
    """Rehearse the first step of a plan; None where the target does so within the upgrade alone."""
    outputs = state.require_outputs(planned.name, home)
    target = registry.get(str(outputs["target"]))
    with locks.hold(home, planned.name, "rehearsing"):
        return target.rehearse_upgrade(planned.name, planned.way[0], planned.version, home)


def change(planned: UpgradePlan, home: Home, *, allow_untested: bool) -> WorkspaceSpec:
    """Return the workspace's settings at the next version of a plan; raises ``UsageError`` if untested."""

    def newer(settings: Settings) -> Settings:
        allowed = {"allow_untested_cvat": True} if allow_untested else {}
        return {**settings, **allowed, "cvat_version": planned.way[0]}

    return lifecycle.apply_change(planned.name, newer, home)


def to_lines(planned: UpgradePlan) -> list[str]:
    """Return a plan as lines for a terminal."""
    newer = f"; newer, but untested: {planned.untested}" if planned.untested else ""
    if not planned.way:
        return [f"{planned.name}: CVAT {planned.version} is the newest tested version{newer}"]
    untested = f"; not known: {planned.unknown}" if planned.needs_permission else ""
    return [
        f"{planned.name}: CVAT {' -> '.join([planned.version, *planned.way])}",
        f"  state    {planned.state}: {MEANING[line_of(planned.to).state]}{untested}",
        *(f"  new      {text}" for text in planned.news),
        *(f"  dropped  {text}" for text in planned.drops),
        f"  next     {planned.way[0]}: a backup, a rehearsal on a copy of it, then the upgrade",
        "  back     by a restore of that backup into a workspace of the old version; there is no other way",
    ]

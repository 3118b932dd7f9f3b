"""The command ``upgrade``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.cli.app import Json, Name, Yes, app, print_json, say
from labelspace_ops.cli.flags import with_progress
from labelspace_ops.cli.status import report

if TYPE_CHECKING:
    from labelspace.home import Home
    from labelspace_ops.workspaces.upgrade import Upgrade, UpgradePlan


@app.command()
@with_progress
def upgrade(
    name: Name,
    version: Annotated[str, typer.Argument(help="version of CVAT; by default the newest tested one")] = "",
    *,
    only_plan: Annotated[bool, typer.Option("--plan", help="show the way, and do nothing")] = False,
    only_rehearse: Annotated[
        bool, typer.Option("--rehearse", help="rehearse it on a copy of a new backup, and change nothing")
    ] = False,
    allow_untested: Annotated[
        bool, typer.Option("--allow-untested", help="as the setting allow_untested_cvat=true")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Upgrade CVAT: show the way and what it drops, rehearse it on a copy, then upgrade."""
    from labelspace.home import Home
    from labelspace_ops.workspaces import upgrade as upgrades

    home = Home.find()
    planned = upgrades.plan(name, version, home)
    say("\n".join(upgrades.to_lines(planned)))
    if only_plan or not planned.way:
        done = upgrades.Upgrade(plan=planned)
    elif only_rehearse:
        done = _rehearse(planned, home)
    else:
        return _upgrade(planned, home, allow_untested=allow_untested, yes=yes, as_json=as_json)
    if as_json:
        print_json(done)
    return None


def _rehearse(planned: UpgradePlan, home: Home) -> Upgrade:
    from labelspace_ops.workspaces import upgrade as upgrades

    found = upgrades.rehearse(planned, home)
    if found is None:
        say(f"{planned.name}: it is rehearsed on the server when the upgrade begins")
    return upgrades.Upgrade(plan=planned, rehearsed=found)


def _upgrade(planned: UpgradePlan, home: Home, *, allow_untested: bool, yes: bool, as_json: bool) -> None:
    from labelspace_ops.workspaces import lifecycle
    from labelspace_ops.workspaces import status as status_module
    from labelspace_ops.workspaces import upgrade as upgrades

    spec = upgrades.change(planned, home, allow_untested=allow_untested)
    if not yes:
        typer.confirm(f"Upgrade {planned.name} to CVAT {planned.way[0]}?", abort=True)
    chosen = lifecycle.create(spec, home)
    measured = status_module.get(chosen.name, home)
    if as_json:
        print_json(upgrades.Upgrade(plan=planned, status=measured))
    else:
        report(measured, chosen, as_json=False)
    if len(planned.way) > 1:
        say(f"  next       labelspace upgrade {planned.name} {planned.to}")

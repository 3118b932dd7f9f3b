"""The commands ``preview`` and ``set``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.cli import options
from labelspace_ops.cli.app import Json, Name, Yes, app, print_result, say
from labelspace_ops.cli.flags import with_flags, with_progress
from labelspace_ops.cli.own_stack import refuses_stack
from labelspace_ops.cli.status import report
from labelspace_ops.core.errors import UsageError

if TYPE_CHECKING:
    from labelspace.home import Home
    from labelspace.spec import Settings, WorkspaceSpec


@app.command()
@refuses_stack("run `pulumi preview`")
@with_flags(options.SettingFlags)
def preview(
    name: Name,
    assignments: Annotated[list[str] | None, typer.Argument(help="KEY=VALUE, as for set")] = None,
    *,
    flags: options.SettingFlags,
    as_json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="print Markdown for a comment on a pull request")
    ] = False,
) -> None:
    """Show what an update would change and why, what happens to data, and the downtime."""
    from labelspace.home import Home
    from labelspace_ops.workspaces import lifecycle, preview_text
    from labelspace_ops.workspaces import preview as previews

    home = Home.find()
    spec = _changed_spec(name, assignments, home) if assignments else None
    result = previews.preview(
        spec or lifecycle.resolve_spec(options.from_flags(name, flags, ask=False), home), home
    )
    text = preview_text.to_markdown(result) if markdown else "\n".join(preview_text.to_lines(result))
    print_result(result, text, as_json=as_json)


def _changed_spec(name: str, assignments: list[str], home: Home, password: str = "") -> WorkspaceSpec:
    from labelspace_ops.workspaces import lifecycle

    def change(settings: Settings) -> Settings:
        values = options.from_assignments(assignments, settings)
        if password:
            values["admin"] = {**values.get("admin", {}), "password": password}
        return values

    return lifecycle.apply_change(name, change, home)


@app.command("set")
@refuses_stack("change the setting there, and run `pulumi up`")
@with_progress
def set_(
    name: Name,
    assignments: Annotated[list[str] | None, typer.Argument(help="KEY=VALUE, e.g. size=medium")] = None,
    password_stdin: options.PasswordStdin = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Change a workspace's settings: show the preview, ask, then update."""
    from labelspace.home import Home
    from labelspace_ops.workspaces import lifecycle, preview_text
    from labelspace_ops.workspaces import preview as previews
    from labelspace_ops.workspaces import status as status_module

    if not assignments and not password_stdin:
        raise UsageError("nothing to set: give KEY=VALUE, for example registration=closed")
    home = Home.find()
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else ""
    spec = _changed_spec(name, assignments or [], home, password)
    if not yes:
        say("\n".join(preview_text.to_lines(previews.preview(spec, home))))
        typer.confirm("Apply these changes?", abort=True)
    chosen = lifecycle.create(spec, home)
    report(status_module.get(chosen.name, home), chosen, as_json=as_json)

"""The commands ``preview`` and ``set``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from labelspace_ops.cli import options
from labelspace_ops.cli.app import Json, Name, Yes, app, print_json, say
from labelspace_ops.cli.status import report
from labelspace_ops.core.errors import UsageError


@app.command()
def preview(  # noqa: PLR0917 - each is a flag of its own
    context: typer.Context,
    name: Name,
    assignments: Annotated[list[str] | None, typer.Argument(help="KEY=VALUE, as for set")] = None,
    bucket: options.Bucket = None,
    remote_bucket: options.RemoteBucket = None,
    description: options.Description = None,
    target: options.Target = None,
    admin_username: options.AdminUsername = None,
    admin_email: options.AdminEmail = None,
    password_stdin: options.PasswordStdin = False,
    registration: options.Registration = None,
    default_role: options.DefaultRole = None,
    bind_address: options.BindAddress = None,
    port: options.Port = None,
    s3_port: options.S3Port = None,
    size: options.Size = None,
    cvat_version: options.CvatVersion = None,
    set_: options.Set = None,
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
        spec or lifecycle.resolve_spec(options.from_flags(context.params, ask=False), home), home
    )
    if as_json:
        print_json(result.as_json())
    else:
        text = preview_text.to_markdown(result) if markdown else "\n".join(preview_text.to_lines(result))
        typer.echo(text)


def _changed_spec(name: str, assignments: list[str], home: Any, password: str = "") -> Any:
    from labelspace_ops.workspaces import lifecycle

    def change(settings: dict[str, Any]) -> dict[str, Any]:
        values = options.from_assignments(assignments, settings)
        if password:
            values["admin"] = {**values.get("admin", {}), "password": password}
        return values

    return lifecycle.apply_change(name, change, home)


@app.command("set")
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

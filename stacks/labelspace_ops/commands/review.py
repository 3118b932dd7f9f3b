"""Commands of review: ``preview``, ``set``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from labelspace_ops.commands import wish
from labelspace_ops.commands.app import Json, Name, Yes, app, say, show
from labelspace_ops.commands.look import report
from labelspace_ops.errors import UsageError


@app.command()
def preview(  # noqa: PLR0917 - each is a flag of its own
    context: typer.Context,
    name: Name,
    assignments: Annotated[list[str] | None, typer.Argument(help="KEY=VALUE, as for set")] = None,
    bucket: wish.Bucket = None,
    remote_bucket: wish.RemoteBucket = None,
    description: wish.Description = None,
    target: wish.Target = None,
    admin_username: wish.AdminUsername = None,
    admin_email: wish.AdminEmail = None,
    password_stdin: wish.PasswordStdin = False,
    registration: wish.Registration = None,
    annotator_group: wish.AnnotatorGroup = None,
    listen: wish.Listen = None,
    port: wish.Port = None,
    s3_port: wish.S3Port = None,
    size: wish.Size = None,
    cvat_version: wish.CvatVersion = None,
    set_: wish.Set = None,
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="for a comment under a pull request")] = False,
) -> None:
    """Show what an update would do: what changes and why, what becomes of data, who waits."""
    from labelspace.home import Home
    from labelspace_ops import life, review, review_text

    home = Home.find()
    spec = _changed(name, assignments, home) if assignments else None
    reviewed = review.review(spec or life.wished(wish.from_flags(context.params, ask=False), home), home)
    if as_json:
        show(reviewed.as_json())
    else:
        text = review_text.as_markdown(reviewed) if markdown else "\n".join(review_text.as_lines(reviewed))
        typer.echo(text)


def _changed(name: str, assignments: list[str], home: Any, password: str = "") -> Any:
    from labelspace_ops import life

    def change(settings: dict[str, Any]) -> dict[str, Any]:
        values = wish.from_assignments(assignments, settings)
        if password:
            values["admin"] = {**values.get("admin", {}), "password": password}
        return values

    return life.changed(name, change, home)


@app.command("set")
def set_(
    name: Name,
    assignments: Annotated[list[str] | None, typer.Argument(help="KEY=VALUE, e.g. size=medium")] = None,
    password_stdin: wish.PasswordStdin = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Change a workspace's settings: shows what it would do, asks, does it."""
    from labelspace.home import Home
    from labelspace_ops import life, review, review_text
    from labelspace_ops import status as status_module

    if not assignments and not password_stdin:
        raise UsageError("nothing to set: give KEY=VALUE, for example registration=closed")
    home = Home.find()
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else ""
    spec = _changed(name, assignments or [], home, password)
    if not yes:
        say("\n".join(review_text.as_lines(review.review(spec, home))))
        typer.confirm("Go on", abort=True)
    chosen = life.create(spec, home)
    report(status_module.of(chosen.name, home), as_json=as_json)

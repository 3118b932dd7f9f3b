"""The command ``login``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.cli.app import Json, app, print_result, say

if TYPE_CHECKING:
    from labelspace_ops.workspaces.login import LoggedIn


@app.command()
def login(
    url: Annotated[str, typer.Argument(help="s3://BUCKET?region=REGION&endpoint=https://HOST")] = "",
    local: Annotated[bool, typer.Option("--local", help="use this machine's own state again")] = False,
    move: Annotated[list[str] | None, typer.Option(help="move this workspace too; repeatable")] = None,
    as_json: Json = False,
) -> None:
    """Store the state of workspaces in a bucket that a team shares; without URL, print where it is."""
    from labelspace.home import Home
    from labelspace_ops.core.errors import UsageError
    from labelspace_ops.stack import backend

    if url and local:
        raise UsageError("url: give it or --local, not both")
    home = Home.find()
    if not url and not local:
        current = backend.current_url(home)
        print_result({"backend": current}, current, as_json=as_json)
        return
    from labelspace_ops.workspaces import login as team_state

    done = team_state.log_in(home, url, move or [])
    text = f"state in {done.backend}: {', '.join(done.workspaces or []) or 'no workspaces yet'}"
    print_result(done, text, as_json=as_json)
    if not as_json:
        _print_next_steps(done)


def _print_next_steps(done: LoggedIn) -> None:
    if done.left_behind:
        flags = " ".join(f"--move {name}" for name in done.left_behind)
        say(f"not moved; log in to the earlier state, then here again with {flags} to move them")
    if not done.backend.startswith("file://"):
        say("others need the same passphrase: labelspace keys export FILE here, keys import FILE there")

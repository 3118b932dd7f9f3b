"""The Typer application and helpers of all commands.

Commands import slow modules when they run, so that ``--help`` answers fast.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.core.errors import UsageError
from labelspace_ops.core.reporting import Event, Message, to_line, to_record

if TYPE_CHECKING:
    from labelspace_ops.stack.state import Properties

app = typer.Typer(
    help="Labeling workspaces as code: a CVAT server, its admin, its datasets and its backed-up annotations.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: it needs no renderer
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 110},
)
Name = Annotated[str, typer.Argument(help="name of the workspace")]
Json = Annotated[bool, typer.Option("--json", help="print only JSON on standard output")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask for confirmation")]


def print_json(value: object) -> None:
    """Print JSON on standard output; models are printed as their objects."""
    typer.echo(json.dumps(value, indent=2, default=lambda model: model.as_json()))


def print_result(value: object, text: str, *, as_json: bool) -> None:
    """Print a command's result on standard output: ``value`` as JSON, or ``text``."""
    if as_json:
        print_json(value)
    else:
        typer.echo(text)


def outputs_of(name: str) -> Properties:
    """Return the outputs of the workspace's stack; raises ``OpsError`` when its creation never completed."""
    from labelspace.home import Home
    from labelspace_ops.stack import state

    return state.require_outputs(name, Home.find())


_PROGRESS = {"format": "text"}


def choose_progress(form: str) -> None:
    """Print events as ``text`` or as ``json`` from now on; raises ``UsageError`` for another format."""
    if form not in ("text", "json"):
        raise UsageError(f"progress: {form!r} is refused: choose text or json")
    _PROGRESS["format"] = form


def prints_json() -> bool:
    """Whether events are printed as JSON."""
    return _PROGRESS["format"] == "json"


def print_event(event: Event) -> None:
    """Print an event on standard error, as one line."""
    line = json.dumps(to_record(event)) if prints_json() else to_line(event)
    if line:
        typer.echo(line, err=True)


def say(text: str) -> None:
    """Print a line of progress or a warning on standard error; standard output is for the result."""
    print_event(Message(text))

"""The option ``--stack``: commands on a workspace that somebody's own Pulumi program declares."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from labelspace_ops.cli.flags import Command, option, with_parameters
from labelspace_ops.core.errors import UsageError

Stack = Annotated[
    str, typer.Option("--stack", help="[org/project/]stack of your own Pulumi program that declares it")
]
OptionalName = Annotated[
    str, typer.Argument(help="name of the workspace; with --stack, only where it declares several")
]


def on_any_stack(command: Command) -> Command:
    """Decorate a command: with ``--stack`` it works on the workspace that a program declares."""
    own = inspect.signature(command, eval_str=True).parameters.values()
    needs_name = any(one.name == "name" and one.default is inspect.Parameter.empty for one in own)

    @wraps(command)
    def run(stack: str, **given: Any) -> None:
        if stack:
            given["name"] = _select(stack, given.get("name", ""))
        elif needs_name and not given["name"]:
            raise UsageError(
                "name: missing: give the workspace, or the stack of the program that declares it"
            )
        command(**given)

    return with_parameters(run, [*(_optional(one) for one in own), option("stack", "", Stack)])


def _optional(parameter: inspect.Parameter) -> inspect.Parameter:
    if parameter.name != "name":
        return parameter
    return parameter.replace(default="", annotation=OptionalName)


def refuses_stack(change: str) -> Callable[[Command], Command]:
    """Decorate a command that would edit somebody's program: with ``--stack`` it says what to change there.

    ``change``: what to do in the program, followed by `pulumi up`.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(stack: str, **given: Any) -> None:
            if stack:
                raise UsageError(f"stack: the program of {stack} declares its workspace: {change}")
            command(**given)

        own = inspect.signature(command, eval_str=True).parameters.values()
        return with_parameters(run, [*own, option("stack", "", Stack)])

    return decorate


def _select(stack: str, name: str) -> str:
    from labelspace.home import Home
    from labelspace_ops.stack import declared_workspaces

    return declared_workspaces.select(stack, name, Home.find())

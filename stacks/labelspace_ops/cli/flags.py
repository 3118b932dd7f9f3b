"""Options that several commands share, or that are many: the fields of a dataclass."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from labelspace_ops.cli.app import choose_progress

F = TypeVar("F")
Command = Callable[..., None]


def option(name: str, default: object, annotation: Any) -> inspect.Parameter:
    """An option of a command, for ``with_parameters``."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def with_flags(kind: type[F]) -> Callable[[Command], Command]:
    """Decorate a command: the fields of the dataclass ``kind`` become its options.

    The options take the place of the command's parameter ``flags``, which receives an instance of ``kind``.
    """
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    options = [option(field.name, field.default, hints[field.name]) for field in fields(kind)]  # type: ignore[arg-type]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(**given: Any) -> None:
            command(flags=kind(**{name: given.pop(name) for name in names}), **given)

        own = inspect.signature(command, eval_str=True).parameters.values()
        return with_parameters(
            run, [one for own_one in own for one in (options if own_one.name == "flags" else [own_one])]
        )

    return decorate


Progress = Annotated[
    str, typer.Option(help="text, or json: each event as one line of JSON on standard error")
]


def with_progress(command: Command) -> Command:
    """Decorate a command: it takes ``--progress text|json``."""

    @wraps(command)
    def run(progress: str, **given: Any) -> None:
        choose_progress(progress)
        command(**given)

    shown = option("progress", "text", Progress)
    own = inspect.signature(command, eval_str=True).parameters.values()
    return with_parameters(run, [*own, shown])


def with_parameters(run: Command, parameters: list[inspect.Parameter]) -> Command:
    """Set the signature that Typer reads."""
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    )
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run

"""The components' arguments and the spec say the same: names, types, what is required, what takes outputs."""

from __future__ import annotations

import ast
import inspect
import re
import types
from collections.abc import Awaitable, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin

import pytest
from docs.generate import documented
from pydantic import BaseModel, SecretStr

from labelspace import args, spec
from labelspace.spec.late import is_late

PAIRS: list[tuple[Any, tuple[Any, ...]]] = [
    (args.WorkspaceArgs, tuple(spec.SPECS.values())),
    (args.BucketArgs, (spec.BucketSpec,)),
    (args.AdminArgs, (spec.AdminSpec,)),
    (args.BackupArgs, (spec.BackupSpec,)),
    (args.BackupBucketArgs, (spec.BackupBucketSpec,)),
    (args.ExternalDatabaseArgs, (spec.ExternalDatabaseSpec,)),
    (args.EgressArgs, (spec.EgressSpec,)),
    (args.TlsArgs, (spec.TlsSpec,)),
    (args.EmailArgs, (spec.EmailSpec,)),
    (args.NotifyArgs, (spec.NotifySpec,)),
    (args.ScalewayArgs, (spec.ScalewaySettings,)),
    (args.KubernetesArgs, (spec.KubernetesSettings,)),
    (args.IngressArgs, (spec.IngressSettings,)),
    (args.DatasetBucketArgs, (spec.DatasetBucketSpec,)),
    (args.AnnotationDatabaseArgs, (spec.AnnotationDatabaseSpec,)),
]
every_block = pytest.mark.parametrize("pair", PAIRS, ids=[one.__name__ for one, _ in PAIRS])
RENAMED = {"external_database": "database"}
NO_ARGUMENT = {"deleted"}
"""Settings of a workspace that the commands alone set."""
BY_THE_RESOURCE = {"name"}
"""Required in a spec; a component takes its resource's name."""
BLOCKS = {model: block for block, models in PAIRS for model in models}


def _fields(models: tuple[Any, ...]) -> dict[str, Any]:
    """Field by the argument's name -> the model that has it."""
    found = {name: model for model in models for name in model.model_fields}
    left_out = NO_ARGUMENT if issubclass(models[0], spec.WorkspaceSpec) else set()
    return {RENAMED.get(name, name): (model, name) for name, model in found.items() if name not in left_out}


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _argument(kind: Any) -> tuple[Any, bool, bool]:
    """The plain type of an argument, whether it takes outputs, and whether it may be left out."""
    optional = get_origin(kind) is NotRequired
    inner = get_args(kind)[0] if optional else kind
    parts = [one for one in get_args(inner) if one is not type(None)] if _is_union(inner) else [inner]
    takes_output = any(get_origin(one) is Awaitable for one in parts)
    plain = next(one for one in parts if not get_args(one) or get_origin(one) is Sequence)
    if isinstance(plain, type) and issubclass(plain, Enum):
        plain = Literal[tuple(one.value for one in plain)]  # made at runtime
    return plain, takes_output, optional


def _plain(annotation: Any) -> Any:
    """The type that an argument has for a field: texts for secrets, sequences for tuples."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return _choices(annotation)
    if _is_union(annotation):
        return _plain(next(one for one in get_args(annotation) if one is not type(None)))
    if get_origin(annotation) is tuple:
        return Sequence[_plain(get_args(annotation)[0])]  # type: ignore[misc]  # made at runtime
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return BLOCKS[annotation]
    return str if annotation is SecretStr else annotation


def _choices(annotation: Any) -> Any:
    """Of all targets where a target has one; the number of a zone stays a number."""
    values = get_args(annotation)
    if not isinstance(values[0], str):
        return type(values[0])
    return spec.Target if values[0] in spec.SPECS and len(values) == 1 else annotation


@every_block
def test_a_block_has_the_fields_of_the_spec(pair: tuple[Any, tuple[Any, ...]]) -> None:
    block, models = pair
    assert block.__annotations__.keys() == _fields(models).keys()


@every_block
def test_types_outputs_and_what_is_required_are_those_of_the_spec(pair: tuple[Any, tuple[Any, ...]]) -> None:
    block, models = pair
    for argument, (model, name) in _fields(models).items():
        field = model.model_fields[name]
        is_top = block in (args.WorkspaceArgs, args.DatasetBucketArgs, args.AnnotationDatabaseArgs)
        optional = not field.is_required() or (is_top and name in BY_THE_RESOURCE)
        expected = (_plain(field.annotation), is_late(model, name), optional)
        assert _argument(block.__annotations__[argument]) == expected, argument


@every_block
def test_choices_are_those_of_the_spec(pair: tuple[Any, tuple[Any, ...]]) -> None:
    """A type checker reads the alias in the source, which is a text at runtime."""
    block, models = pair
    body = ast.parse(inspect.getsource(block)).body[0]
    assert isinstance(body, ast.ClassDef)
    sources = {
        one.target.id: {node.id for node in ast.walk(one.annotation) if isinstance(node, ast.Name)}
        for one in body.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    }
    for argument, (model, name) in _fields(models).items():
        choices = model.model_fields[name].annotation
        if get_origin(choices) is Literal and len(get_args(choices)) > 1 and name not in ("target", "zone"):
            aliases = [getattr(spec, alias, None) for alias in sources[argument]]
            assert choices in aliases, argument
    assert set(get_args(spec.Target)) == spec.SPECS.keys()


@every_block
def test_defaults_are_those_of_the_spec(pair: tuple[Any, tuple[Any, ...]]) -> None:
    block, models = pair
    said = documented(block)
    silent = [
        argument
        for argument, (model, name) in _fields(models).items()
        for default in [model.model_fields[name].default]
        if isinstance(default, str | int) and not isinstance(default, bool) and default not in ("", 0)
        if str(default) not in said[argument] and name != "cvat_version"
    ]
    assert silent == []


def test_the_guide_lists_the_arguments_that_take_outputs() -> None:
    guide = (Path(args.__file__).parents[2] / "docs" / "own-stack.md").read_text(encoding="utf-8")
    table = guide.partition("| block | arguments that take outputs |")[2].partition("\n\n")[0]
    listed = {word for row in table.splitlines() for word in re.findall(r"`(\w+)`", row.partition(" | ")[2])}
    takes = {
        name
        for block, models in PAIRS
        if block is not args.DatasetBucketArgs
        for name, (model, field) in _fields(models).items()
        if is_late(model, field)
    }
    assert listed - {"bucket"} == takes

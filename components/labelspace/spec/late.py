"""Settings whose values may become known during an update alone: Pulumi's outputs.

A spec does not import Pulumi, so an output is recognised by its method ``apply``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, SecretStr


@dataclass(frozen=True)
class Late:
    """Marks a field that takes an output. ``stand_in``: a valid value, in its place until it is known.

    No other field takes one: its value decides which resources there are.
    """

    stand_in: str


def is_output(value: Any) -> bool:
    """Whether the value is one of Pulumi's outputs."""
    return callable(getattr(value, "apply", None))


def is_late(model: type[BaseModel], name: str) -> bool:
    """Whether the field takes an output."""
    return _mark(model, name) is not None


def _mark(model: type[BaseModel], name: str) -> Late | None:
    return next((one for one in model.model_fields[name].metadata if isinstance(one, Late)), None)


def is_secret(model: type[BaseModel], name: str) -> bool:
    """Whether the field holds a password or a key."""
    field = model.model_fields.get(name)
    return field is not None and _mentions(field.annotation, SecretStr)


def _mentions(annotation: Any, kind: type) -> bool:
    return annotation is kind or any(_mentions(one, kind) for one in get_args(annotation))


def block(annotation: Any) -> type[BaseModel] | None:
    """The model of a block of settings, or of each block of a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := block(one))), None)


def block_of(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The model of the block or blocks that a field holds; None for another field or an unknown one."""
    field = model.model_fields.get(name)
    return block(field.annotation) if field else None


def with_stand_ins(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with a stand-in for each output that its field takes; other outputs stay."""
    return {name: _early(model, name, value) for name, value in values.items()}


def _early(model: type[BaseModel], name: str, value: Any) -> Any:
    inner = block_of(model, name)
    if is_output(value):
        mark = _mark(model, name) if name in model.model_fields else None
        return mark.stand_in if mark else value
    if inner and isinstance(value, Mapping):
        return with_stand_ins(inner, value)
    if inner and isinstance(value, list | tuple):
        return [with_stand_ins(inner, one) if isinstance(one, Mapping) else one for one in value]
    return value


def late_paths(values: Any, path: str = "") -> Iterator[str]:
    """The dotted path of each output in ``values``."""
    if is_output(values):
        yield path
    pairs = values.items() if isinstance(values, Mapping) else enumerate(values) if _is_list(values) else ()
    for key, value in pairs:
        yield from late_paths(value, f"{path}.{key}" if path else str(key))


def _is_list(values: Any) -> bool:
    return isinstance(values, list | tuple)

"""From values to a validated spec: the union of the targets' specs, and one sentence per problem."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from labelspace.spec.base import SpecPart
from labelspace.spec.fields import DefaultRole, Registration, Size
from labelspace.spec.kubernetes import KubernetesSpec
from labelspace.spec.late import block, block_of, is_output
from labelspace.spec.local import LocalSpec
from labelspace.spec.scaleway import ScalewaySpec
from labelspace.spec.workspace import WorkspaceSpec

SPECS: dict[str, type[WorkspaceSpec]] = {
    "local": LocalSpec,
    "scaleway": ScalewaySpec,
    "kubernetes": KubernetesSpec,
}
"""The spec of each target."""
DEFAULT_TARGET = "local"
Settings = dict[str, Any]
"""Settings as a stack's file holds them, before ``parse_spec`` validates them."""
OUTPUT_REFUSED = "is an output (secret, or known after another resource is made): give a plain value"
_Spec = TypeVar("_Spec", bound=SpecPart)
_CHOICES = {"size": Size, "registration": Registration, "default_role": DefaultRole}


class SpecError(ValueError):
    """Invalid settings; each problem names the field, the value and the next step."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def parse_spec(values: Mapping[str, Any]) -> WorkspaceSpec:
    """Validate ``values`` as their target's spec; raises ``SpecError`` with one line for each problem."""
    return validate(spec_model(values), values)


def spec_model(values: Mapping[str, Any]) -> type[WorkspaceSpec]:
    """The spec of the target that ``values`` name; raises ``SpecError``."""
    target = values.get("target", DEFAULT_TARGET)
    if is_output(target):
        raise SpecError([f"target: {OUTPUT_REFUSED}"])
    if target not in SPECS:
        raise SpecError([f"target: {target!r} is refused: choose one of {', '.join(SPECS)}"])
    return SPECS[target]


def validate(spec: type[_Spec], values: Mapping[str, Any], *, show: bool = True) -> _Spec:
    """``values`` as a ``spec``; raises ``SpecError`` with one line for each problem.

    ``show``: the lines may show a refused value that is no password and no key.
    """
    try:
        return spec.model_validate(values)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise SpecError([_sentence(spec, problem, show=show) for problem in problems]) from None


def setting_names() -> list[str]:
    """Every top-level setting of any target, without the name."""
    return sorted({name for spec in SPECS.values() for name in spec.model_fields} - {"name"})


_TYPES = {name: field.annotation for spec in SPECS.values() for name, field in spec.model_fields.items()}
_TRUTHS = {"true": True, "false": False}


def is_optional(target: str, key: str) -> bool:
    """Whether the setting with this dotted ``key`` is one value, of no block, that a workspace may lack."""
    model: type[BaseModel] | None = SPECS.get(target)
    *path, last = key.split(".")
    for step in path:
        model = block_of(model, step) if model else None
    field = model.model_fields.get(last) if model else None
    return field is not None and block(field.annotation) is None and type(None) in get_args(field.annotation)


def parse_setting(key: str, text: str) -> Any:
    """A setting as a stack's file holds it, text or JSON, turned into what ``parse_spec`` takes."""
    annotation = _TYPES.get(key)
    if _is_structured(annotation):
        return json.loads(text)
    if annotation is bool:
        return _TRUTHS.get(text.lower(), text)
    return int(text) if annotation is int else text


def _is_structured(annotation: Any) -> bool:
    """Whether a setting is a list or has inner settings."""
    return get_origin(annotation) is tuple or block(annotation) is not None


def dump_with_secrets(spec: BaseModel, *, defaults: bool = True) -> Settings:
    """The spec as plain JSON values, its secrets in the clear: only for what is encrypted.

    ``defaults``: with the settings that have their default value.
    """
    values = spec.model_dump(exclude_defaults=not defaults)
    return {key: _revealed(value) for key, value in values.items()}


def _revealed(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {key: _revealed(item) for key, item in value.items()}
    return [_revealed(item) for item in value] if isinstance(value, list | tuple) else value


def _sentence(spec: type[SpecPart], problem: Any, *, show: bool) -> str:
    field = ".".join(str(part) for part in problem["loc"]) or "workspace"
    message = _next_step(spec, problem)
    if not show or problem["type"] in ("missing", "extra_forbidden") or is_output(problem["input"]):
        return f"{field}: {message}"
    return f"{field}: {_shown(field, problem['input'])}{message}"


SECRET_WORDS = ("password", "secret_key", "access_key", "backup.encryption_key", "webhook", "acme_eab_hmac")
"""Parts of the names of settings whose values no message shows."""


def _shown(field: str, value: Any) -> str:
    """The refused value, never a secret one and never a whole block of settings."""
    secret = any(word in field for word in SECRET_WORDS)
    if secret or isinstance(value, dict | BaseModel | list | tuple):
        return ""
    return f"{value!r} is refused: "


def _next_step(spec: type[SpecPart], problem: Any) -> str:
    if is_output(problem["input"]):
        return OUTPUT_REFUSED
    field = str(problem["loc"][-1]) if problem["loc"] else ""
    match problem["type"]:
        case "literal_error" if field in _CHOICES:
            return f"choose one of {', '.join(get_args(_CHOICES[field]))}"
        case "missing":
            many = "name at least one dataset bucket"
            return f"missing: {many if field == 'buckets' else 'give a value'}"
        case "bool_parsing" | "bool_type":
            return "use true or false"
        case "extra_forbidden":
            return _unknown(spec, problem["loc"])
    return str(problem["msg"]).removeprefix("Value error, ")


def _unknown(spec: type[SpecPart], path: tuple[Any, ...]) -> str:
    """Which target has the setting, else the nearest known one."""
    name = str(path[-1])
    others = [target for target, other in SPECS.items() if name in other.model_fields]
    if len(path) == 1 and issubclass(spec, WorkspaceSpec) and others:
        return f"is for target {others[0]}: leave it out"
    fields = _model_at(spec, path[:-1]).model_fields
    known = sorted(field.alias or name for name, field in fields.items())
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    prefix = "".join(f"{part}." for part in path[:-1] if isinstance(part, str))
    return (
        f"unknown setting: did you mean {prefix}{near[0]}?"
        if near
        else f"unknown setting; known: {', '.join(known)}"
    )


def _model_at(model: type[BaseModel], path: tuple[Any, ...]) -> type[BaseModel]:
    """The model of an inner block, by the path of a problem in it."""
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            model = block_of(model, part) or model
    return model

"""Targets by name. A target's package is imported when one of its workspaces is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from labelspace.spec import DEFAULT_TARGET
from labelspace_ops.core import extras
from labelspace_ops.core.errors import UsageError
from labelspace_ops.stack import plugins, state

if TYPE_CHECKING:
    from labelspace.home import Home
    from labelspace_ops.targets.base import Target

DEFAULT = DEFAULT_TARGET
_CLASSES = {
    "local": "labelspace_ops.targets.local.target:LocalTarget",
    "scaleway": "labelspace_ops.targets.scaleway.target:ScalewayTarget",
    "kubernetes": "labelspace_ops.targets.kubernetes.target:KubernetesTarget",
}


def register(name: str, location: str) -> None:
    """Add a target; ``location`` is ``package.module:Class``."""
    _CLASSES[name] = location


def names() -> list[str]:
    """Names of all targets."""
    return list(_CLASSES)


def installed() -> Iterator[Target[Any]]:
    """The targets whose extras are installed."""
    for name in names():
        with suppress(UsageError):
            yield get(name)


@cache
def _load(location: str) -> Target[Any]:
    module, _, name = location.partition(":")
    target: Target[Any] = getattr(import_module(module), name)()
    try:
        plugins.required(target.plugins)
    except ModuleNotFoundError as error:
        raise UsageError(extras.sentence(error) or str(error)) from None
    return target


def get(name: str) -> Target[Any]:
    """The target of that name; raises ``UsageError`` for an unknown one, or when its extra is missing."""
    if name not in _CLASSES:
        raise UsageError(f"target: {name!r} is refused: choose one of {', '.join(_CLASSES)}")
    return _load(_CLASSES[name])


def for_workspace(name: str, home: Home) -> Target[Any]:
    """The target of a workspace that exists: by its outputs, or by its settings before the first update."""
    outputs = state.outputs(name, home)
    if "target" in outputs:
        return get(str(outputs["target"]))
    from labelspace_ops.stack import automation as stack  # noqa: PLC0415 - brings Pulumi with it

    return get(stack.target(stack.select(name, home)))

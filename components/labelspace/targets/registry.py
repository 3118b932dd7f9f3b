"""Registry of the targets. A target's package is imported on use, so only its provider's SDK is needed."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from labelspace.targets.base import Deploy

_MODULES = {
    "local": "labelspace.targets.local.deploy",
    "scaleway": "labelspace.targets.scaleway.deploy",
    "kubernetes": "labelspace.targets.kubernetes.deploy",
}


def register(name: str, module: str) -> None:
    """Add a target; ``module`` has a function ``deploy``."""
    _MODULES[name] = module


def deploy_function(name: str) -> Deploy:
    """The ``deploy`` of a target; its package is imported now."""
    return cast("Deploy", import_module(_MODULES[name]).deploy)

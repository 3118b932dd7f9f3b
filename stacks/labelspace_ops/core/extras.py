"""Optional parts of the installation: which extra of the package brings a missing module."""

from __future__ import annotations

MODULES = {
    "numpy": "audit",
    "scipy": "audit",
    "nicegui": "console",
    "fastapi": "console",
    "starlette": "console",
    "uvicorn": "console",
    "pulumiverse_scaleway": "scaleway",
    "pulumi_kubernetes": "kubernetes",
    "kubernetes": "kubernetes",
}
"""The extra that installs each module; ``pyproject.toml`` names their packages."""


def sentence(error: ModuleNotFoundError) -> str:
    """How to install what the error misses; empty when no extra brings it."""
    module = (error.name or "").partition(".")[0]
    extra = MODULES.get(module)
    if extra is None:
        return ""
    package = f"'labelspace[{extra}]'"
    return (
        f"{extra}: this part of labelspace is not installed ({module} is missing): `pip install {package}`,"
        f" or `uvx --from {package} labelspace ...`"
    )

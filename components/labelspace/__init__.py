"""Pulumi components of a labeling workspace, to be imported in any stack.

``__all__`` is the whole public interface; every other name may change in any release. Each name is
imported when it is first asked for: a program that needs a limit alone does not wait for Pulumi.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from labelspace.components import AnnotationDatabase, AnnotationServer, DatasetBucket
    from labelspace.spec import (
        AdminSpec,
        BackupBucketSpec,
        BackupSpec,
        BucketSpec,
        LocalSpec,
        ScalewaySettings,
        ScalewaySpec,
        SpecError,
        WorkspaceSpec,
        parse_spec,
    )
    from labelspace.workspace import Workspace

__all__ = [
    "AdminSpec",
    "AnnotationDatabase",
    "AnnotationServer",
    "BackupBucketSpec",
    "BackupSpec",
    "BucketSpec",
    "DatasetBucket",
    "LocalSpec",
    "ScalewaySettings",
    "ScalewaySpec",
    "SpecError",
    "Workspace",
    "WorkspaceSpec",
    "parse_spec",
]

_AT = {
    "AnnotationDatabase": "labelspace.components",
    "AnnotationServer": "labelspace.components",
    "DatasetBucket": "labelspace.components",
    "Workspace": "labelspace.workspace",
}
"""Where a public name is, when not in ``labelspace.spec``."""


def __getattr__(name: str) -> typing.Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_AT.get(name, "labelspace.spec")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Pulumi components of a labeling workspace, to be imported in any stack.

``__all__`` is the whole public interface; every other name may change in any release. Each name is
imported when it is first asked for: a program that needs a limit alone does not wait for Pulumi.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from labelspace.args import (
        AdminArgs,
        BackupArgs,
        BackupBucketArgs,
        BucketArgs,
        ExternalDatabaseArgs,
        ScalewayArgs,
        WorkspaceArgs,
    )
    from labelspace.components import AnnotationDatabase, AnnotationServer, DatasetBucket
    from labelspace.spec import SpecError
    from labelspace.workspace import Workspace

__all__ = [
    "AdminArgs",
    "AnnotationDatabase",
    "AnnotationServer",
    "BackupArgs",
    "BackupBucketArgs",
    "BucketArgs",
    "DatasetBucket",
    "ExternalDatabaseArgs",
    "ScalewayArgs",
    "SpecError",
    "Workspace",
    "WorkspaceArgs",
]

_AT = {
    "AnnotationDatabase": "labelspace.components",
    "AnnotationServer": "labelspace.components",
    "DatasetBucket": "labelspace.components",
    "SpecError": "labelspace.spec",
    "Workspace": "labelspace.workspace",
}
"""Where a public name is, when not in ``labelspace.args``."""


def __getattr__(name: str) -> typing.Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_AT.get(name, "labelspace.args")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

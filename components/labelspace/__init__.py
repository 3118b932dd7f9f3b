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
        EgressArgs,
        EmailArgs,
        ExternalDatabaseArgs,
        ScalewayArgs,
        TlsArgs,
        WorkspaceArgs,
    )
    from labelspace.components import AnnotationDatabase, AnnotationServer, DatasetBucket
    from labelspace.spec import SpecError
    from labelspace.workspace import Workspace
    from labelspace_ops.labels.args import (
        AnnotatorArgs,
        AttributeArgs,
        AuditAttributeArgs,
        LabelArgs,
        PointArgs,
    )
    from labelspace_ops.labels.label_schema import LabelSchema
    from labelspace_ops.projects.cvat_annotators import Annotators

__all__ = [
    "AdminArgs",
    "AnnotationDatabase",
    "AnnotationServer",
    "AnnotatorArgs",
    "Annotators",
    "AttributeArgs",
    "AuditAttributeArgs",
    "BackupArgs",
    "BackupBucketArgs",
    "BucketArgs",
    "DatasetBucket",
    "EgressArgs",
    "EmailArgs",
    "ExternalDatabaseArgs",
    "LabelArgs",
    "LabelSchema",
    "PointArgs",
    "ScalewayArgs",
    "SpecError",
    "TlsArgs",
    "Workspace",
    "WorkspaceArgs",
]

_LABELS = "labelspace_ops.labels.args"
_AT = {
    "AnnotationDatabase": "labelspace.components",
    "AnnotationServer": "labelspace.components",
    "AnnotatorArgs": _LABELS,
    "Annotators": "labelspace_ops.projects.cvat_annotators",
    "AttributeArgs": _LABELS,
    "AuditAttributeArgs": _LABELS,
    "DatasetBucket": "labelspace.components",
    "LabelArgs": _LABELS,
    "LabelSchema": "labelspace_ops.labels.label_schema",
    "PointArgs": _LABELS,
    "SpecError": "labelspace.spec",
    "Workspace": "labelspace.workspace",
}
"""Where a public name is, when not in ``labelspace.args``; ``labelspace_ops`` has what works on CVAT."""


def __getattr__(name: str) -> typing.Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_AT.get(name, "labelspace.args")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

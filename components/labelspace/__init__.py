"""What a labeling workspace is made of: declarations, importable in anybody's stack."""

from labelspace.local.bucket import DatasetBucket
from labelspace.local.database import AnnotationDatabase
from labelspace.local.server import AnnotationServer
from labelspace.spec import SpecError, WorkspaceSpec, parse_spec
from labelspace.workspace import Workspace

__all__ = [
    "AnnotationDatabase",
    "AnnotationServer",
    "DatasetBucket",
    "SpecError",
    "Workspace",
    "WorkspaceSpec",
    "parse_spec",
]

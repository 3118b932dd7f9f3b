"""Settings of a workspace and of its parts: validated as a whole before anything is created.

The settings of each target are registered in ``SPECS`` (``parse.py``).
"""

from labelspace.spec.admin import AdminSpec
from labelspace.spec.backup import AnnotationDatabaseSpec, BackupBucketSpec, BackupSpec
from labelspace.spec.base import SpecPart
from labelspace.spec.buckets import BucketSpec, DatasetBucketSpec
from labelspace.spec.database import ExternalDatabaseSpec
from labelspace.spec.egress import EgressSpec
from labelspace.spec.email import EmailSpec
from labelspace.spec.fields import DEFAULT_CVAT, DefaultRole, Registration, Size
from labelspace.spec.local import LocalSpec
from labelspace.spec.parse import (
    DEFAULT_TARGET,
    SPECS,
    Settings,
    SpecError,
    dump_with_secrets,
    parse_setting,
    parse_spec,
    setting_names,
    validate,
)
from labelspace.spec.scaleway import Region, ScalewaySettings, ScalewaySpec
from labelspace.spec.tls import TlsSpec
from labelspace.spec.workspace import WorkspaceSpec

__all__ = [
    "DEFAULT_CVAT",
    "DEFAULT_TARGET",
    "SPECS",
    "AdminSpec",
    "AnnotationDatabaseSpec",
    "BackupBucketSpec",
    "BackupSpec",
    "BucketSpec",
    "DatasetBucketSpec",
    "DefaultRole",
    "EgressSpec",
    "EmailSpec",
    "ExternalDatabaseSpec",
    "LocalSpec",
    "Region",
    "Registration",
    "ScalewaySettings",
    "ScalewaySpec",
    "Settings",
    "Size",
    "SpecError",
    "SpecPart",
    "TlsSpec",
    "WorkspaceSpec",
    "dump_with_secrets",
    "parse_setting",
    "parse_spec",
    "setting_names",
    "validate",
]

"""Settings of a workspace and of its parts: validated as a whole before anything is created.

The settings of each target are registered in ``SPECS`` (``parse.py``).
"""

from labelspace.spec.admin import AdminSpec
from labelspace.spec.backup import AnnotationDatabaseSpec, BackupBucketSpec, BackupSpec
from labelspace.spec.base import SpecPart
from labelspace.spec.buckets import BucketSpec, DatasetBucketSpec
from labelspace.spec.database import DatabaseSslMode, ExternalDatabaseSpec
from labelspace.spec.egress import EgressSpec
from labelspace.spec.email import EmailSecurity, EmailSpec
from labelspace.spec.fields import DEFAULT_CVAT, DefaultRole, Registration, Size, Target
from labelspace.spec.kubernetes import IngressSettings, KubernetesSettings, KubernetesSpec
from labelspace.spec.local import LocalSpec
from labelspace.spec.notify import NoticeFormat, NotifySpec
from labelspace.spec.parse import (
    DEFAULT_TARGET,
    SECRET_WORDS,
    SPECS,
    Settings,
    SpecError,
    dump_with_secrets,
    is_optional,
    parse_setting,
    parse_spec,
    setting_names,
    spec_model,
    validate,
)
from labelspace.spec.scaleway import DatabaseKind, ProjectKind, Region, ScalewaySettings, ScalewaySpec
from labelspace.spec.tls import TlsSpec
from labelspace.spec.workspace import WorkspaceSpec

__all__ = [
    "DEFAULT_CVAT",
    "DEFAULT_TARGET",
    "SECRET_WORDS",
    "SPECS",
    "AdminSpec",
    "AnnotationDatabaseSpec",
    "BackupBucketSpec",
    "BackupSpec",
    "BucketSpec",
    "DatabaseKind",
    "DatabaseSslMode",
    "DatasetBucketSpec",
    "DefaultRole",
    "EgressSpec",
    "EmailSecurity",
    "EmailSpec",
    "ExternalDatabaseSpec",
    "IngressSettings",
    "KubernetesSettings",
    "KubernetesSpec",
    "LocalSpec",
    "NoticeFormat",
    "NotifySpec",
    "ProjectKind",
    "Region",
    "Registration",
    "ScalewaySettings",
    "ScalewaySpec",
    "Settings",
    "Size",
    "SpecError",
    "SpecPart",
    "Target",
    "TlsSpec",
    "WorkspaceSpec",
    "dump_with_secrets",
    "is_optional",
    "parse_setting",
    "parse_spec",
    "setting_names",
    "spec_model",
    "validate",
]

"""What every workspace has, whatever its target."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from labelspace.cvat_lines import MEANING, line_of
from labelspace.spec.admin import AdminSpec
from labelspace.spec.backup import BackupSpec
from labelspace.spec.base import SpecPart
from labelspace.spec.buckets import BucketSpec
from labelspace.spec.database import ExternalDatabaseSpec
from labelspace.spec.egress import EgressSpec
from labelspace.spec.fields import DEFAULT_CVAT, CvatVersion, DefaultRole, Name, Registration, Size
from labelspace.spec.late import Late


class WorkspaceSpec(SpecPart):
    """The validated settings of one workspace; one workspace is one Pulumi stack.

    Each target has a subclass with the settings that only it has.
    """

    name: Name
    """The workspace's name; its stack's name as well."""
    description: Annotated[str, Field(max_length=500), Late("stand-in")] = ""
    """What it is for, in your words."""
    target: str = "local"
    """Where it runs: ``local`` (this machine's Docker engine), ``scaleway``, ``kubernetes``; it stays so."""
    buckets: tuple[BucketSpec, ...]
    """The dataset buckets, at least one."""
    admin: AdminSpec = AdminSpec()
    """The one who assigns the work: CVAT's superuser."""
    registration: Registration = "open"
    """Open: annotators sign up by themselves; closed: only the admin makes accounts."""
    default_role: DefaultRole = "worker"
    """CVAT's group of a new account: ``worker`` sees what is assigned, ``user`` browses the share, too."""
    size: Size = "small"
    """How many workers run, and how much memory each part may take."""
    allow_untested_cvat: bool = False
    """Whether a version of CVAT may run that labelspace was not tested with (docs/cvat-versions.md)."""
    cvat_version: CvatVersion = DEFAULT_CVAT
    """The annotation server's version."""
    star_banner: bool = False
    """Whether CVAT asks annotators for a star on GitHub, in versions that can."""
    backup: BackupSpec = BackupSpec()
    """When the annotation database is backed up, where to, and for how long."""
    external_database: ExternalDatabaseSpec | None = None
    """A PostgreSQL database of your own for the annotations; none: the workspace makes one. It stays so."""
    egress: EgressSpec = EgressSpec()
    """Which private addresses CVAT itself may connect to."""
    running: bool = True
    """False: the containers are gone (Scaleway: the server is stopped); everything that they keep stays."""

    @field_validator("cvat_version")
    @classmethod
    def _untested_only_when_allowed(cls, version: str, info: ValidationInfo) -> str:
        line = line_of(version)
        if not line.tested and not info.data.get("allow_untested_cvat"):
            raise ValueError(
                f"CVAT {line.name} is untested: {MEANING[line.state]}. Set allow_untested_cvat=true to use"
                f" it, or choose {DEFAULT_CVAT}"
            )
        return version

    @field_validator("buckets")
    @classmethod
    def _at_least_one_bucket(cls, buckets: tuple[BucketSpec, ...]) -> tuple[BucketSpec, ...]:
        names = [bucket.name for bucket in buckets]
        if not names:
            raise ValueError("name at least one dataset bucket")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{twice[0]!r} is named twice: name each bucket once")
        return buckets

"""The workspace's settings for its backups: one JSON file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(os.environ.get("LABELSPACE_BACKUP_SETTINGS", "/run/labelspace/backup.json"))
PLACE = Path("/var/lib/pgbackrest")
"""The folder of backups in a container; with a bucket it holds only results of drills."""
DATA = Path("/var/lib/postgresql/data")
SCRATCH = Path("/var/lib/postgresql/scratch")
CVAT = Path("/cvat")
"""CVAT's volumes of files, one folder each."""


@dataclass(frozen=True)
class Settings:
    """Settings of both engines; an engine ignores those of the other.

    ``restic`` is restic's repository, ``restic_environment`` its variables. ``endpoint`` is the backup
    bucket's ``host:port``, empty for a folder. ``authority`` is the file of the certificate authority that
    signed the endpoint's certificate, empty for public authorities.
    """

    user: str
    database: str
    interval_hours: int = 1
    full_interval_days: int = 7
    drill_interval_days: int = 7
    archive_timeout_seconds: int = 30
    key: str = ""
    restic: str = ""
    endpoint: str = ""
    authority: str = ""
    restic_environment: dict[str, str] = field(default_factory=dict)
    engine: str = "physical"
    workspace: str = ""
    retention_days: int = 7
    max_shrink_percent: int = 50
    """A backup whose files shrank by more than this is held back from expiry."""
    max_unarchived_mb: int = 4096
    """WAL segments that may wait for the archive, in MB; beyond it the oldest are given up."""
    bucket: str = ""
    """The backup bucket of a server at Scaleway, where the logical engine runs on the host."""
    scratch_image: str = ""
    """The PostgreSQL image of scratch databases on such a server."""


def load() -> Settings:
    """Read the file; raises ``OSError`` when there is none."""
    return Settings(**json.loads(FILE.read_text()))

"""What the workspace's stack has configured, as it reaches the container: one secret file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path("/run/labelspace/backup.json")
PLACE = Path("/var/lib/pgbackrest")
"""The workspace's folder of backups; with a bucket, only proofs lie there."""
DATA = Path("/var/lib/postgresql/data")
SCRATCH = Path("/var/lib/postgresql/scratch")
CVAT = Path("/cvat")
"""CVAT's volumes of files, one folder each."""


@dataclass(frozen=True)
class Settings:
    """Hours, days and places; ``restic`` is restic's repository, ``restic_environment`` what it needs.

    ``endpoint`` is the bucket's ``host:port``, empty for a folder; ``authority`` the file of who signed its
    certificate, empty for those that everybody knows.
    """

    user: str
    database: str
    interval_hours: int
    full_interval_days: int
    drill_interval_days: int
    archive_timeout_seconds: int
    key: str
    restic: str
    endpoint: str = ""
    authority: str = ""
    restic_environment: dict[str, str] = field(default_factory=dict)


def load() -> Settings:
    """Read the file; raises ``OSError`` where the container has none."""
    return Settings(**json.loads(FILE.read_text()))

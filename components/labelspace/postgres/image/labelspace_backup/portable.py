"""A backup as what any PostgreSQL, and any target, can take: a dump, and CVAT's files as a tar archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import files, postgres, record, restore
from .programs import run
from .settings import CVAT, Settings

OUT = Path("/run/labelspace/portable")
DUMP, MEDIA = OUT / "dump", OUT / "media.tar"


def write(settings: Settings, wish: restore.Wish) -> dict[str, Any]:
    """Restore a backup in this container, which holds nothing else, and write both into ``OUT``."""
    restore.beside(settings, wish, archive=False)
    with postgres.server(restore.NEW, settings, archive=False) as (socket, _):
        rows = sum(record.counts(settings, socket).values())
        of = ["-h", socket, "-U", settings.user, "-f", str(DUMP), settings.database]
        run(["pg_dump", "--format=custom", *of], user="root")
    if wish.files:
        files.restore(settings, wish.files)
        within = [f"--directory={CVAT.parent}", CVAT.name]
        run(["tar", "--create", "--numeric-owner", f"--file={MEDIA}", *within], user="root")
    return {"rows": rows, "media": bool(wish.files)}

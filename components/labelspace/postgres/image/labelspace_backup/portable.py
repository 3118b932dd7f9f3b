"""A backup in a form that any PostgreSQL and any target takes: a dump, and CVAT's files as a tar archive."""

from __future__ import annotations

from pathlib import Path

from . import restic
from .engine import Engine, Request
from .programs import Json, run
from .settings import CVAT

OUT = Path("/run/labelspace/portable")
DUMP, MEDIA = OUT / "dump", OUT / "media.tar"


def write(engine: Engine, request: Request) -> Json:
    """Write both into ``OUT``; this container holds nothing else."""
    rows = engine.write_dump(request, DUMP)
    if request.files:
        restic.restore(engine.settings, request.files)
        folder = [f"--directory={CVAT.parent}", CVAT.name]
        run(["tar", "--create", "--numeric-owner", f"--file={MEDIA}", *folder], user="root")
    return {"rows": rows, "media": bool(request.files)}

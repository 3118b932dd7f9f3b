"""A copy of a backup that serves: what a new version of CVAT may migrate before it may touch the real one.

Runs in a container of its own, which ends with the copy.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from . import database, postgres, record
from .settings import SCRATCH, Settings

PASSWORD = Path("/run/labelspace/copy-password")
SERVING = Path("/tmp/labelspace-copy")  # noqa: S108 - inside the container
"""Holds the folder of the copy's socket once it serves."""
NEW_PASSWORD = f"""\
\\set password `cat {PASSWORD}`
alter role current_user password :'password';
"""


def serve(settings: Settings, label: str) -> None:
    """Restore ``label`` and serve it, under the password in ``PASSWORD``, until the container is stopped."""
    postgres.make_empty(SCRATCH)
    database.restore(SCRATCH, label, record.target(label))
    with postgres.server(SCRATCH, settings, archive=False, network=True) as (socket, _):
        postgres.ask(settings, NEW_PASSWORD, socket)
        SERVING.write_text(socket)
        signal.pause()


def look(settings: Settings, label: str) -> dict[str, Any] | None:
    """Rows by table: ``counted`` in the copy, ``recorded`` with its backup; None while it does not serve."""
    if not SERVING.exists():
        return None
    backup = next(one for one in database.backups(database.info()) if one.label == label)
    recorded = (backup.record or {}).get("counts", {})
    return {"counted": record.counts(settings, SERVING.read_text()), "recorded": recorded}

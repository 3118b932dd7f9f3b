"""Serves a copy of a backup, which a new version of CVAT migrates before it may touch the workspace.

Runs in a container of its own, which ends with the copy.
"""

from __future__ import annotations

import signal
from pathlib import Path

from . import postgres, record
from .engine import Engine, find
from .programs import Json

PASSWORD = Path("/run/labelspace/copy-password")
SERVING = Path("/tmp/labelspace-copy")  # noqa: S108 - inside the container
"""Holds the folder of the copy's socket once it serves."""
NEW_PASSWORD = f"""\
\\set password `cat {PASSWORD}`
alter role current_user password :'password';
"""


def serve(engine: Engine, label: str) -> None:
    """Restore ``label`` and serve it, with the password in ``PASSWORD``, until the container is stopped."""
    with engine.restored(find(engine, label), network="container") as scratch:
        scratch.ask(NEW_PASSWORD)
        SERVING.write_text(scratch.socket)
        signal.pause()


def count(engine: Engine, label: str) -> Json | None:
    """Rows by table: ``counted`` in the copy, ``recorded`` with its backup; ``columns`` of the copy by table.

    None before the copy serves.
    """
    if not SERVING.exists():
        return None
    expected = engine.expected(find(engine, label))
    ask = postgres.asker(engine.settings, SERVING.read_text())
    counted, columns = record.take(ask).counts, record.columns(ask)
    return {"counted": counted, "recorded": expected.counts if expected else {}, "columns": columns}

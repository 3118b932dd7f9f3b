"""A database from a portable dump (``pg_dump --format=custom``), in a container of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import postgres, record, restore
from .programs import run
from .settings import Settings

DUMP = Path("/run/labelspace/dump")
AS_THE_IMAGE = "host all all all scram-sha-256\n"
"""What the official image adds to the rules of a new database."""


def load(settings: Settings) -> dict[str, Any]:
    """Fill the place with what ``DUMP`` holds; raises ``FailedError`` and leaves the place as it was."""
    folder = restore.NEW
    postgres.make_empty(folder)
    run(["initdb", "-D", str(folder), "-U", settings.user, "--data-checksums", "--encoding=UTF8"])
    with (folder / "pg_hba.conf").open("a") as rules:
        rules.write(AS_THE_IMAGE)
    alone = ["postgres", "--single", "-D", str(folder), "postgres"]
    run(alone, stdin=f"create database {settings.database};\n")
    with postgres.server(folder, settings, archive=False) as (socket, _):
        into = ["-h", socket, "-U", settings.user, "-d", settings.database]
        run(["pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", *into, str(DUMP)], user="root")
        postgres.ask(settings, "analyze", socket)
        rows = sum(record.counts(settings, socket).values())
    restore.take_the_place()
    return {"rows": rows}

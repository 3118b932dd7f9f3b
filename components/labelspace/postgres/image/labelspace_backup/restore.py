"""A physical restore, in a container of its own while the database is stopped.

It is made in a staging folder, which replaces the data only when it is whole: a restore that fails changes
nothing.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

from . import files, last_repository, pgbackrest, postgres, record, restic
from .engine import Request
from .programs import FailedError, Json
from .settings import DATA, PLACE, Settings

MARK = PLACE / "restoring"
"""While this file exists, the database does not start: no half restored state is served."""
NEW = DATA / "labelspace-restore"
REPLACED = DATA / "labelspace-replaced"
EMPTIED = (Path("/redis"), Path("/cache"))
"""Jobs and cached frames of the replaced database; CVAT makes them again."""
LAST_CHANGE = re.compile(r"last completed transaction was at log time (\S+ \S+)")
RESET = ("restore_command", "recovery_target_time", "recovery_target_name", "recovery_target_action")
TOO_FAR = "recovery ended before configured recovery target was reached"


def standing(settings: Settings) -> Json:
    """Whether a restore was interrupted while it replaced the data, whether there is a database, the
    identities in the volumes of CVAT's files, and what is lost if the bucket of the backups holds none. A
    logical restore is one transaction."""
    physical = settings.engine == "physical"
    return {
        "interrupted": physical and MARK.exists(),
        "data": not physical or (DATA / "PG_VERSION").exists(),
        "identities": files.identities(),
        "lost_backups": last_repository.lost(settings, []) if physical else "",
    }


def run(settings: Settings, request: Request, *, same_place: bool) -> Json:
    """Restore the database and the files.

    ``same_place``: the workspace goes on with this repository; else its changes are no longer archived here.
    """
    log = restore_to_staging(settings, request, archive=same_place)
    if same_place:
        MARK.write_text(request.label)
    replace_data()
    restore_files(settings, request.files)
    if same_place:
        MARK.unlink()
    found = LAST_CHANGE.findall(log)
    return {"backup": request.label, "files": request.files, "last_change": found[-1] if found else None}


def restore_files(settings: Settings, tag: str) -> None:
    """CVAT's files of a snapshot, empty ``tag`` for none; queues and cache are emptied."""
    if tag:
        restic.restore(settings, tag)
    for folder in EMPTIED:
        _empty(folder)


def restore_to_staging(settings: Settings, request: Request, *, archive: bool) -> str:
    """Restore the database into ``NEW``; returns PostgreSQL's log.

    A time after the last archived change means all changes: nothing else was there at that time.
    """
    postgres.make_empty(NEW)
    try:
        return _recover(settings, request, archive=archive)
    except FailedError as error:
        if TOO_FAR not in str(error) or "--type=time" not in request.target:
            raise
    postgres.make_empty(NEW)
    everything = ["--type=default", "--target-timeline=current"]
    return _recover(settings, replace(request, target=everything), archive=archive)


def _recover(settings: Settings, request: Request, *, archive: bool) -> str:
    pgbackrest.restore(NEW, request.label, request.target)
    with postgres.server(NEW, settings, archive=archive) as (socket, log):
        text, ask = log.read_text(), postgres.asker(settings, socket)
        check_known(record.latest(ask), request.known)
        if not request.files:
            ask(files.FORGET_IDENTITY)
        for name in RESET:
            ask(f"alter system reset {name}")
    return text


def check_known(latest: dict[str, str], known: list[str]) -> None:
    """Raise ``FailedError`` unless the CVAT that will run has every migration of the apps that it has."""
    newer = record.newer_migrations(latest, known)
    if newer:
        raise FailedError(f"it was migrated by a later CVAT ({newer[0]}): give that CVAT's version")


def replace_data() -> None:
    """Put ``NEW`` in place of the data: only renames, within one volume.

    Run again after an interruption, it ends the same.
    """
    REPLACED.mkdir(exist_ok=True)
    for path in DATA.iterdir():
        if path not in (NEW, REPLACED):
            path.rename(REPLACED / path.name)
    for path in NEW.iterdir():
        path.rename(DATA / path.name)
    NEW.rmdir()
    shutil.rmtree(REPLACED)
    shutil.chown(DATA, "postgres", "postgres")
    DATA.chmod(0o700)


def _empty(folder: Path) -> None:
    """Files alone: the folders belong to their program, with its owner and permissions."""
    for path in folder.rglob("*") if folder.exists() else ():
        if not path.is_dir() or path.is_symlink():
            path.unlink()

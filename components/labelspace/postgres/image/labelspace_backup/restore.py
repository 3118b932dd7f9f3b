"""A restore, in a container of its own while the database is down.

It is made beside what is there, and takes its place only when it is whole: one that fails changes nothing.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import database, files, postgres, record
from .programs import FailedError
from .settings import DATA, PLACE, Settings

MARK = PLACE / "restoring"
"""While it lies there, the database does not start: no half state is served."""
NEW = DATA / "labelspace-restore"
REPLACED = DATA / "labelspace-replaced"
EMPTIED = (Path("/redis"), Path("/cache"))
"""Jobs and cached frames of what was replaced; CVAT makes them anew."""
LAST_CHANGE = re.compile(r"last completed transaction was at log time (\S+ \S+)")
RESET = ("restore_command", "recovery_target_time", "recovery_target_name", "recovery_target_action")
TOO_FAR = "recovery ended before configured recovery target was reached"


def standing() -> dict[str, bool]:
    """Whether a restore was interrupted while it took the place, and whether there is a database at all."""
    return {"interrupted": MARK.exists(), "data": (DATA / "PG_VERSION").exists()}


@dataclass(frozen=True)
class Wish:
    """The backup to start from, pgBackRest's target, the files' snapshot, CVAT's migrations."""

    label: str
    target: list[str]
    files: str
    known: list[str]


def run(settings: Settings, wish: Wish, *, same_place: bool) -> dict[str, Any]:
    """Restore the database and the files.

    ``same_place``: the workspace goes on with this repository; else its changes are no longer archived here.
    """
    said = beside(settings, wish, archive=same_place)
    if same_place:
        MARK.write_text(wish.label)
    take_the_place()
    if wish.files:
        files.restore(settings, wish.files)
    for folder in EMPTIED:
        _empty(folder)
    if same_place:
        MARK.unlink()
    found = LAST_CHANGE.findall(said)
    return {"backup": wish.label, "files": wish.files, "last_change": found[-1] if found else None}


def beside(settings: Settings, wish: Wish, *, archive: bool) -> str:
    """Restore the database into ``NEW``; what PostgreSQL said.

    A time after the last archived change means all of them: nothing else was there at that time.
    """
    postgres.make_empty(NEW)
    try:
        return _recovered(settings, wish, archive=archive)
    except FailedError as error:
        if TOO_FAR not in str(error) or "--type=time" not in wish.target:
            raise
    postgres.make_empty(NEW)
    everything = ["--type=default", "--target-timeline=current"]
    return _recovered(settings, replace(wish, target=everything), archive=archive)


def _recovered(settings: Settings, wish: Wish, *, archive: bool) -> str:
    database.restore(NEW, wish.label, wish.target)
    with postgres.server(NEW, settings, archive=archive) as (socket, log):
        said = log.read_text()
        _must_be_known(record.latest(settings, socket), wish.known)
        for name in RESET:
            postgres.ask(settings, f"alter system reset {name}", socket)
    return said


def _must_be_known(latest: dict[str, str], known: list[str]) -> None:
    """The CVAT that will run must have every migration of the apps that it has."""
    apps = {name.split(".")[0] for name in known}
    later = [f"{app}.{name}" for app, name in latest.items() if app in apps and f"{app}.{name}" not in known]
    if later:
        raise FailedError(f"it was migrated by a later CVAT ({later[0]}): give that CVAT's version")


def take_the_place() -> None:
    """Put what was made in ``NEW`` in place of what is there.

    Renames alone, within one volume; run again after an interruption, it ends the same.
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
    """Files alone: the folders are their program's, with its owner and rights."""
    for path in folder.rglob("*") if folder.exists() else ():
        if not path.is_dir() or path.is_symlink():
            path.unlink()

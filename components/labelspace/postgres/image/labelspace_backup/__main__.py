"""``python3 -m labelspace_backup VERB [JSON]``: the last line of the output is JSON."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import (
    client_server,
    copy,
    drill,
    endpoint,
    engines,
    external,
    portable,
    restore,
    schedule,
    serve,
    settings,
    state,
)
from .engine import Request
from .programs import FailedError, Json
from .settings import Settings

DONE, FAILED, NOT_PROVEN = 0, 1, 3
HOLDS, HOLDS_NOT = 0, 1
ANSWER = "/tmp/labelspace-answer"  # noqa: S108 - inside the container
DUMP = Path("/run/labelspace/dump")
"""A portable dump for the verb ``load``."""
WITHOUT_PLACE = ("state", "serve", "standing", "load", "check-database", "count-copy", "write-sql")
"""Verbs that do something useful while the place of the backups is out of reach."""


def main() -> int:
    """Run a verb; a failure ends with 1, and its reason as JSON."""
    verb, given = sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    on_server = False
    if verb != "copy":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(FAILED))  # scratch databases are removed
    try:
        loaded = settings.load()
        on_server = bool(loaded.bucket)
        if verb not in WITHOUT_PLACE:
            endpoint.check(loaded)
        if verb == "holds-backups":
            return HOLDS if engines.create(loaded).backups() else HOLDS_NOT
        answer = VERBS[verb](loaded, given)
    except (FailedError, OSError, KeyError, ValueError) as error:
        if verb == "keep" or on_server:
            schedule.log(f"{verb}: {_reason(error)}")
        _print(verb, {"failed": _reason(error)}, keep=not on_server)
        return HOLDS if verb == "holds-backups" else FAILED  # a place that cannot be read may hold backups
    _print(verb, answer, keep=not on_server)
    return NOT_PROVEN if verb == "drill-when-due" and answer and not answer["ok"] else DONE


def _print(verb: str, answer: Any, *, keep: bool) -> None:
    """``keep`` it in a file too: an engine can lose what a program prints (moby/moby#27289)."""
    text = json.dumps(answer) + "\n"
    if keep:
        file = Path(f"{ANSWER}-{verb}")
        with suppress(OSError):
            file.unlink(missing_ok=True)  # an older answer is never taken for this one
            file.write_text(text)
    sys.stdout.write(text)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, FailedError) else f"{type(error).__name__}: {error}"


def _request(given: Json) -> Request:
    return Request(given["backup"], given.get("target", []), given["files"], given.get("known", []))


def _keep(loaded: Settings, _: Json) -> None:
    engine = engines.create(loaded)
    if loaded.workspace:
        external.claim(engines.logical(loaded))
    engine.prepare()
    serve.start()
    schedule.keep(engine)


def _backup(loaded: Settings, given: Json) -> Json:
    taken = engines.create(loaded).take(given.get("kind", "full"), throttled=given.get("throttled", False))
    return {"id": taken.label, "kind": taken.kind, "size": taken.size, "added": taken.added}


def _accept(loaded: Settings, given: Json) -> Json:
    engines.create(loaded).accept(given["backup"])
    return given


def _accept_loss(loaded: Settings, given: Json) -> Json:
    engines.physical(loaded).accept_loss(given["backup"])
    return given


def _rehearse(loaded: Settings, given: Json) -> Json:
    label = client_server.rehearse(client_server.engine(loaded), given["image"], given["environment"])
    return {"id": label}


def _write_sql(loaded: Settings, given: Json) -> Json:
    engines.logical(loaded).write_sql(Path(given["dump"]), Path(given["into"]))
    return given


def _restore(loaded: Settings, given: Json) -> Json:
    if loaded.workspace:  # a database that was made again has lost the mark, and no dump holds it
        external.claim(engines.logical(loaded))
    return engines.create(loaded).restore(_request(given), same_place=given["same_place"])


def _serve(*_: Any) -> None:
    serve.serve()


VERBS: dict[str, Callable[[Settings, Json], Any]] = {
    "keep": _keep,
    "serve": _serve,
    "backup": _backup,
    "keep-folder": lambda loaded, given: engines.physical(loaded).keep_folder(given["tag"], given["folder"]),
    "drill": lambda loaded, given: drill.run(engines.create(loaded), given.get("backup", "")),
    "drill-when-due": lambda loaded, _: schedule.drill_when_due(engines.create(loaded)),
    "copy": lambda loaded, given: copy.serve(engines.create(loaded), given["backup"]),
    "count-copy": lambda loaded, given: copy.count(engines.create(loaded), given["backup"]),
    "portable": lambda loaded, given: portable.write(engines.create(loaded), _request(given)),
    "load": lambda loaded, _: engines.create(loaded).load(DUMP),
    "list": lambda loaded, _: state.listing(engines.create(loaded)),
    "state": lambda loaded, _: state.measure(engines.create(loaded)),
    "check-database": lambda loaded, _: external.check(engines.logical(loaded)),
    "standing": lambda loaded, _: restore.standing(loaded),
    "accept": _accept,
    "accept-loss": _accept_loss,
    "restore": _restore,
    "rehearse": _rehearse,
    "write-sql": _write_sql,
}

if __name__ == "__main__":
    sys.exit(main())

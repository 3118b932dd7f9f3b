"""``python3 -m labelspace_backup VERB [JSON]``: the last line on standard output is JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import backup, copy, database, drill, endpoint, load, portable, restore, schedule, settings, state
from .programs import FailedError

HOLDS, HOLDS_NOT = 0, 1
KEPT = "/tmp/labelspace-answer"  # noqa: S108 - inside the container
OPEN = ("holds-backups", "keep", "backup", "keep-folder", "drill", "copy", "list", "restore", "portable")
"""Verbs that can do nothing without the place of the backups."""


def main() -> int:
    """Run the verb; a failure ends with 1 and its reason as JSON."""
    verb, given = sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    try:
        loaded = settings.load()
        if verb in OPEN:
            endpoint.must_answer(loaded)
        if verb == "holds-backups":
            return HOLDS if database.backups(database.readable()) else HOLDS_NOT
        answer = VERBS[verb](loaded, given)
    except (FailedError, OSError, KeyError, ValueError) as error:
        _answer(verb, {"failed": _text(error)})
        if verb == "keep":
            schedule.say(_text(error))
        return HOLDS if verb == "holds-backups" else 1  # a place that cannot be read may hold backups
    _answer(verb, answer)
    return 0


def _answer(verb: str, answer: Any) -> None:
    """Print it; keep it too, as an engine can lose what a program prints (moby/moby#27289)."""
    text = json.dumps(answer) + "\n"
    kept = Path(f"{KEPT}-{verb}")
    with suppress(OSError):
        kept.unlink(missing_ok=True)  # an older one is never taken for this one
        kept.write_text(text)
    sys.stdout.write(text)


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, FailedError) else f"{type(error).__name__}: {error}"


def _wish(given: dict[str, Any]) -> restore.Wish:
    return restore.Wish(given["backup"], given["target"], given["files"], given.get("known", []))


def _restore(loaded: settings.Settings, given: dict[str, Any]) -> dict[str, Any]:
    return restore.run(loaded, _wish(given), same_place=given["same_place"])


VERBS: dict[str, Callable[[settings.Settings, dict[str, Any]], Any]] = {
    "keep": lambda loaded, _: schedule.keep(loaded),
    "backup": lambda loaded, given: backup.take(loaded, given["kind"], gently=given["gently"]),
    "keep-folder": lambda loaded, given: backup.keep_as_it_is(loaded, given["tag"], given["folder"]),
    "drill": lambda loaded, given: drill.run(loaded, given.get("backup", "")),
    "copy": lambda loaded, given: copy.serve(loaded, given["backup"]),
    "look-at-copy": lambda loaded, given: copy.look(loaded, given["backup"]),
    "portable": lambda loaded, given: portable.write(loaded, _wish(given)),
    "load": lambda loaded, _: load.load(loaded),
    "list": lambda loaded, _: state.listing(loaded),
    "state": lambda loaded, _: state.measure(loaded),
    "standing": lambda _, __: restore.standing(),
    "restore": _restore,
}

if __name__ == "__main__":
    sys.exit(main())

"""Its verbs: ``dump``, ``drill DUMP``, ``drill`` when that is due, ``rehearse IMAGE NAME=VALUE ...``."""

from __future__ import annotations

import json
import signal
import sys

from . import drill, dump, rehearse
from .programs import FailedError, settings

NOT_PROVEN = 3
"""A drill was carried out, and did not prove its dump."""


def main(verb: str, *names: str) -> int:
    """Ends with 1 and the reason when it could not be done."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    try:
        if verb == "dump":
            say(f"dumped to {dump.take(settings())}")
            return 0
        if verb == "rehearse":
            say(f"rehearsed with dump {rehearse.rehearse(settings(), names[0], list(names[1:]))}")
            return 0
        return _drill(names[0]) if names else _scheduled()
    except (FailedError, OSError) as error:
        sys.stderr.write(f"labelspace: {verb}: {error}\n")
        return 1


def _drill(name: str) -> int:
    proof = drill.prove(settings(), name.removesuffix(".dump"))
    sys.stdout.write(json.dumps(proof) + "\n")
    return 0 if proof["ok"] else NOT_PROVEN


def _scheduled() -> int:
    """Drill when it is due; fails as long as the newest proof is of a failure."""
    proof = drill.when_due(settings())
    if proof is None or proof["ok"]:
        return 0
    say(f"the drill of {proof['backup']} FAILED: {proof['reason']}")
    return NOT_PROVEN


def say(text: str) -> None:
    """A line for journal and console."""
    sys.stdout.write(f"labelspace: {text}\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

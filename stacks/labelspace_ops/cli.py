"""The entry of the command ``labelspace``."""

from __future__ import annotations

import sys

from labelspace_ops.commands import (  # noqa: F401 - importing them registers their commands
    annotators,
    audit,
    backups,
    console,
    data,
    export,
    keys,
    labels,
    life,
    login,
    look,
    review,
    task,
)
from labelspace_ops.commands.app import app, say
from labelspace_ops.errors import OpsError, UsageError


def main() -> None:
    """Run a command; a user's mistake ends with one sentence and exit code 2, a failure with 1."""
    try:
        app()
    except UsageError as error:
        _complain(error, 2)
    except OpsError as error:
        _complain(error, 1)
    except KeyboardInterrupt:
        _complain("interrupted: the same command again goes on where it was", 1)
    except Exception as error:
        _complain(_pulumis_reason(error), 1)


def _pulumis_reason(error: Exception) -> str:
    """What Pulumi's command said; anything else is a bug of ours and keeps its traceback."""
    if not type(error).__module__.startswith("pulumi.automation"):
        raise error
    from labelspace_ops.state import reason  # noqa: PLC0415

    return reason(str(error))


def _complain(problem: object, code: int) -> None:
    say(f"labelspace: {problem}")
    sys.exit(code)

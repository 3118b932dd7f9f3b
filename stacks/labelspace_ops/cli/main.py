"""The entry of the command ``labelspace``."""

from __future__ import annotations

import sys

from labelspace_ops.cli import (  # noqa: F401 - importing them registers their commands
    annotators,
    audit,
    backups,
    console,
    export,
    keys,
    labels,
    lifecycle,
    login,
    preview,
    status,
    task,
    upload,
)
from labelspace_ops.cli.app import app, say
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import Event, listening, to_line


def main() -> None:
    """Run a command; a user's mistake ends with one sentence and exit code 2, a failure with 1."""
    try:
        with listening(_print):
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
    from labelspace_ops.stack.state import error_reason

    return error_reason(str(error))


def _print(event: Event) -> None:
    if line := to_line(event):
        say(line)


def _complain(problem: object, code: int) -> None:
    say(f"labelspace: {problem}")
    sys.exit(code)

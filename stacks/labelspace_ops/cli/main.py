"""The entry point of the command ``labelspace``."""

from __future__ import annotations

import sys

from labelspace_ops.cli import (  # noqa: F401 - importing them registers their commands
    annotators,
    audit,
    backups,
    console,
    defects,
    export,
    init,
    keys,
    labels,
    lifecycle,
    login,
    notify,
    preview,
    samples,
    state,
    status,
    task,
    termination,
    upgrade,
    upload,
)
from labelspace_ops.cli.app import app
from labelspace_ops.cli.terminal import Terminal
from labelspace_ops.core import extras, library_errors
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.foreign_variables import drop_foreign_variables
from labelspace_ops.core.reporting import Failed, Listener, emit, listening

FLAGS = {"name at least one dataset bucket": "--bucket NAME"}
"""What the command line calls a setting, by the sentence that refuses it."""


def main(listener: Listener | None = None) -> None:
    """Run a command; print an error as one sentence and exit with 2 for a usage error, 1 for a failure.

    ``listener`` is called with every progress event; the default prints them on standard error.
    """
    drop_foreign_variables()
    termination.end_children_first()
    with listening(listener or Terminal(is_tty=sys.stderr.isatty())):
        code = _run()
    termination.leave(code)


def _run() -> int:
    try:
        app()
    except UsageError as error:
        return _fail(error, 2)
    except OpsError as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        termination.remember()
        return _fail("interrupted: run the same command again to continue", 1)
    except Exception as error:
        return _fail_unexpected(error)
    return 0


def _fail_unexpected(error: Exception) -> int:
    """Print the reason of an error of a library; that of any other error is written to a file."""
    if isinstance(error, ModuleNotFoundError) and (missing := extras.sentence(error)):
        return _fail(missing, 2)
    return _fail(_pulumi_reason(error) or library_errors.sentence(error) or defects.describe(error), 1)


def _pulumi_reason(error: Exception) -> str:
    """Return the reason of an error of Pulumi's Automation API; empty for any other error."""
    if not type(error).__module__.startswith("pulumi.automation"):
        return ""
    from labelspace_ops.stack.pulumi_errors import error_reason

    return error_reason(str(error))


def _fail(problem: object, code: int) -> int:
    text = str(problem)
    for sentence, flag in FLAGS.items():
        text = text.replace(sentence, f"{sentence} ({flag})")
    emit(Failed(text))
    return code

"""The entry point of the command ``labelspace``."""

from __future__ import annotations

import sys

from labelspace_ops.cli import (  # noqa: F401 - importing them registers their commands
    annotators,
    audit,
    backups,
    console,
    export,
    init,
    keys,
    labels,
    lifecycle,
    login,
    preview,
    samples,
    state,
    status,
    task,
    upgrade,
    upload,
)
from labelspace_ops.cli.app import app
from labelspace_ops.cli.terminal import Terminal
from labelspace_ops.core import extras
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.foreign_variables import drop_foreign_variables
from labelspace_ops.core.reporting import Failed, Listener, emit, listening


def main(listener: Listener | None = None) -> None:
    """Run a command; print an error as one sentence and exit with 2 for a usage error, 1 for a failure.

    ``listener`` is called with every progress event; the default prints them on standard error.
    """
    drop_foreign_variables()
    with listening(listener or Terminal(is_tty=sys.stderr.isatty())):
        code = _run()
    if code:
        sys.exit(code)


def _run() -> int:
    try:
        app()
    except UsageError as error:
        return _fail(error, 2)
    except OpsError as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        return _fail("interrupted: run the same command again to continue", 1)
    except ModuleNotFoundError as error:
        if not (missing := extras.sentence(error)):
            raise
        return _fail(missing, 2)
    except Exception as error:
        return _fail(_pulumi_reason(error), 1)
    return 0


def _pulumi_reason(error: Exception) -> str:
    """Return the reason of an error of Pulumi; raise any other error again, it is a defect of labelspace."""
    if not type(error).__module__.startswith("pulumi.automation"):
        raise error
    from labelspace_ops.stack.pulumi_cli import error_reason

    return error_reason(str(error))


def _fail(problem: object, code: int) -> int:
    emit(Failed(str(problem)))
    return code

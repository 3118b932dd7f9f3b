"""A connection to a database by ``psql`` that answers statement after statement."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from .programs import FailedError, drop_privileges, last_lines

Ask = Callable[[str], str]
"""Runs SQL; returns the rows as lines, columns separated by tabs. Raises ``FailedError``."""
PSQL = (
    *("psql", "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--field-separator=\t"),
    *("--set", "ON_ERROR_STOP=1"),
)
END = "labelspace: end of the answer"


@contextmanager
def session(
    command: Sequence[str], *, user: str = "root", env: Mapping[str, str] | None = None
) -> Iterator[Ask]:
    """One connection; ``command`` is ``psql``'s. A transaction lasts until it, or the session, is ended."""
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **(env or {})},
            preexec_fn=drop_privileges(user),  # noqa: PLW1509 - the program has one thread
            cwd="/",
        ) as psql,
    ):
        yield lambda sql: _answer(psql, errors, sql)


def _answer(psql: subprocess.Popen[str], errors: IO[bytes], sql: str) -> str:
    stdin, stdout = psql.stdin, psql.stdout
    assert stdin is not None and stdout is not None  # noqa: S101, PT018 - for the type checker
    with suppress(BrokenPipeError):
        stdin.write(f"{sql.rstrip().rstrip(';')};\nselect '{END}';\n")
        stdin.flush()
        lines: list[str] = []
        for line in stdout:
            if line.rstrip("\n") == END:
                return "".join(lines).strip("\n")  # tabs stay: a last column may be empty
            lines.append(line)
    psql.wait()
    with suppress(OSError):
        stdin.close()  # flushing what could not be written would fail again
    errors.seek(0)
    raise FailedError(f"psql: the database refuses: {last_lines(errors.read().decode(errors='replace'))}")

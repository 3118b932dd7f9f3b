"""What goes wrong for a user: one sentence each, with the next step; never a traceback."""

from __future__ import annotations


class OpsError(Exception):
    """It failed; exit code 1."""


class UsageError(OpsError):
    """The wish cannot be granted as it was given; exit code 2."""

"""Errors that are shown to the user as one sentence with the next step, without a traceback."""

from __future__ import annotations


class OpsError(Exception):
    """The operation failed; exit code 1."""


class UsageError(OpsError):
    """The arguments or settings are invalid; exit code 2."""

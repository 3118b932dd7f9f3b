"""Variables that the user has set for other Pulumi projects."""

from __future__ import annotations

import os

INHERITED = (
    "PULUMI_DEBUG_",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
    "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES",
)
"""Variables of Pulumi that are about the machine or a search for faults, not about a project."""


_dropped: dict[str, str] = {}


def dropped() -> dict[str, str]:
    """The variables that were removed: a command on the user's own stack needs them (``--stack``)."""
    return dict(_dropped)


def drop_foreign_variables() -> None:
    """Remove from this process what the user has set for other Pulumi projects.

    A passphrase in ``PULUMI_CONFIG_PASSPHRASE`` would win over this home's and lock its workspaces; a
    backend, a stack or a token would lead to another project.
    """
    for name in list(os.environ):
        if name.startswith("PULUMI_") and not name.startswith(INHERITED):
            _dropped[name] = os.environ.pop(name)

"""Variables that the user has set for other Pulumi projects."""

from __future__ import annotations

import os

INHERITED = (
    "PULUMI_DEBUG_",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
    "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES",
)
"""Variables of Pulumi that are about the machine or a search for faults, not about a project."""


def drop_foreign_variables() -> None:
    """Remove from this process what the user has set for other Pulumi projects.

    A passphrase in ``PULUMI_CONFIG_PASSPHRASE`` would win over this home's and lock its workspaces; a
    backend, a stack or a token would lead to another project.
    """
    for name in list(os.environ):
        if name.startswith("PULUMI_") and not name.startswith(INHERITED):
            del os.environ[name]

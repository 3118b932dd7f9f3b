"""Where the files of the Pulumi project are."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
"""The folder of ``Pulumi.yaml``; the settings of a workspace are in ``stacks/Pulumi.NAME.yaml`` below it."""

"""Pulumi's own language hosts, which run a plugin's folder and TypeScript: part of every Pulumi download.

The newest hosts that the testbed can build from Go modules are older and can do neither. Where Pulumi was
built, ``LABELSPACE_LANGUAGE_HOSTS`` names a folder with ``pulumi-language-python`` and ``-nodejs``.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from labelspace.home import Home

VARIABLE = "LABELSPACE_LANGUAGE_HOSTS"


def pulumi_with_hosts(folder: Path) -> Path:
    """A folder with ``pulumi`` and its hosts next to it; skips the test where there are none."""
    home = Home.find()
    bin_ = home.pulumi_root / "bin"
    if not (home.pulumi_root / "built-here").exists():
        return bin_
    given = os.environ.get(VARIABLE)
    if not given:
        pytest.skip(f"Pulumi was built here without its newest language hosts: {VARIABLE} may name them")
    shutil.copy2(bin_ / "pulumi", folder)
    for host in Path(given).glob("pulumi-*"):
        shutil.copy2(host, folder)
    return folder

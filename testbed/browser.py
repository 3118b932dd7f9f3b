"""A browser for the tests that look at pages as people do."""

from __future__ import annotations

import shutil

from testbed.parts import Part
from testbed.shell import apt_install, timed


def prepare() -> Part:
    """Find Chromium or Chrome with its driver, else install Debian's."""
    if shutil.which("chromedriver"):
        return Part("browser", "official", "found")
    with timed("installing Debian's Chromium"):
        apt_install("chromium", "chromium-driver")
    return Part("browser", "official", "Debian's Chromium")

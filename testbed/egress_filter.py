"""Smokescreen, the filter of CVAT's own requests, built from its Go module.

CVAT's Dockerfile takes commit eb1ac09, which the Go module proxy does not have.
"""

from __future__ import annotations

from pathlib import Path

from labelspace.home import Home
from testbed import toolchain

MODULE = "github.com/stripe/smokescreen@v0.0.4"


def program(home: Home | None = None) -> Path:
    """The program ``smokescreen``; the first call builds it, in about a minute."""
    return toolchain.built(home or Home.find(), MODULE, "smokescreen", "CVAT's egress filter")

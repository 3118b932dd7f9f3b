"""CNCF Distribution, the image registry of the tests: built from its Go module."""

from __future__ import annotations

from pathlib import Path

from labelspace.home import Home
from testbed import toolchain

MODULE = "github.com/distribution/distribution/v3/cmd/registry@v3.1.2"


def program(home: Home | None = None) -> Path:
    """The program ``registry``; the first call builds it, in about 3 minutes."""
    return toolchain.built(home or Home.find(), MODULE, "registry", "an image registry")

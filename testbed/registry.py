"""CNCF Distribution, the image registry of the tests: built from its Go module."""

from __future__ import annotations

from pathlib import Path

from labelspace.home import Home
from testbed import toolchain
from testbed.shell import exclusive, fingerprint, timed

MODULE = "github.com/distribution/distribution/v3/cmd/registry@v3.1.2"


def program(home: Home | None = None) -> Path:
    """The program ``registry``; the first call builds it, in about 3 minutes."""
    home = home or Home.find()
    target = home.root / "testbed" / "bin" / fingerprint(MODULE) / "registry"
    with exclusive(home, "registry"):
        if not target.exists():
            with timed("building an image registry from its Go module (about 3 minutes)"):
                toolchain.build(home, MODULE, target)
    return target

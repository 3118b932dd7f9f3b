"""Folders of dataset buckets on this machine: which ones were made, and which of them are gone."""

from __future__ import annotations

from labelspace.home import Home
from labelspace.spec import LocalSpec
from labelspace_ops.core.errors import OpsError


def known_folders(home: Home) -> set[str]:
    """Return the buckets whose folders were made here: the gateway has data of its own about each."""
    return {path.name for path in home.gateway.iterdir()} if home.gateway.exists() else set()


def check(spec: LocalSpec, home: Home) -> None:
    """Raise ``OpsError`` for a bucket whose folder is gone: the engine would make an empty one."""
    known = known_folders(home)
    for index, bucket in enumerate(spec.buckets):
        folder = home.buckets / bucket.name
        if not bucket.endpoint and not bucket.path and bucket.name in known and not folder.exists():
            raise OpsError(
                f"buckets.{index}: the folder of {bucket.name!r} is gone: bring {folder} back (is a disk not"
                f" mounted?), or begin with an empty one: `mkdir {folder}`"
            )

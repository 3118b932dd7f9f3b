"""Workspaces that the end-to-end tests share, and the home that they are in."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.e2e.lab import Lab

from labelspace.home import Home


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A temporary home for the tests, with the tools of this machine."""
    os.environ.pop("PULUMI_BACKEND_URL", None)  # the user may have set one
    with tempfile.TemporaryDirectory(prefix="labelspace-test-", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        home.tools.symlink_to(Home.find().tools)
        home.root.chmod(0o755)
        yield Lab(home)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three images, in folders with spaces and umlauts, and a text file."""
    root = tmp_path_factory.mktemp("dataset")
    for number, name in enumerate(("a.png", "night shots/b.jpg", "größe/c.png")):
        (root / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (64, 48), (40 * number, 90, 120)).save(root / name)
    (root / "notes.txt").write_text("not an image")
    return root


def named_workspace(lab: Lab, *flags: str) -> Iterator[Any]:
    """A workspace of its own, purged at the end; its status as ``create`` printed it."""
    name = f"t{secrets.token_hex(3)}"
    try:
        yield lab.create(name, *flags)
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")


@pytest.fixture(scope="session")
def street(lab: Lab, dataset: Path) -> Iterator[Any]:
    """A workspace with two buckets and open registration; its status as ``create`` printed it."""
    for measured in named_workspace(
        lab, "--bucket", "street", "--bucket", "fields", "--description", "two buckets"
    ):
        lab.json("upload", measured["name"], str(dataset), "--bucket", "street")
        yield measured


@pytest.fixture(scope="session")
def clinic(lab: Lab, street: Any) -> Iterator[Any]:
    """A second workspace: shares a bucket with the first, closed registration, listens on all interfaces."""
    yield from named_workspace(
        lab,
        "--bucket",
        "street",
        "--registration",
        "closed",
        "--bind-address",
        "0.0.0.0",
        "--default-role",
        "user",
    )

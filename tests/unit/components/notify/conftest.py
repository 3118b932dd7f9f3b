"""The notifier's modules, imported as its container does."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

import labelspace.notify

FOLDER = Path(labelspace.notify.__file__).parent / "container_files"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a module of the container by its name."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module

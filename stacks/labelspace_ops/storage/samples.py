"""Sample photographs that the package holds, for a first workspace."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from labelspace_ops.core.errors import OpsError

FOLDER = files("labelspace_ops.storage") / "samples"


def write(folder: Path) -> list[str]:
    """Copy the photographs and the list of their sources into ``folder``; returns the files' names.

    Raises ``OpsError`` when they cannot be written.
    """
    try:
        with as_file(FOLDER) as source:
            shutil.copytree(source, folder, dirs_exist_ok=True)
            return sorted(path.name for path in source.iterdir())
    except OSError as error:
        raise OpsError(f"folder: {folder} cannot be written ({error}): choose another folder") from None

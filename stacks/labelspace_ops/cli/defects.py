"""Errors that only a defect of labelspace can cause: their traceback goes to a file, not to the terminal."""

from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime

from labelspace.home import Home


def describe(error: BaseException) -> str:
    """Write the traceback to a file that this user alone may read; return a sentence that names the file."""
    what = f"an error that labelspace does not know ({type(error).__name__}), which is a defect of it"
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    try:
        folder = Home.find().root / "reports"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError:
        return f"{what}: report it with the command that you ran"
    return f"{what}: report it with {folder / name}, after you read that file"

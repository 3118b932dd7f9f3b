"""A new project in a team's repository, from the template."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.extras import MODULES
from labelspace_ops.stack import project

EXTRAS = sorted({*MODULES.values(), "all"})
WORKFLOW = Path(".github") / "workflows" / "labelspace-preview.yml"


def create(folder: Path, extras: Sequence[str]) -> list[Path]:
    """Write a project into ``folder``; returns the files that were written or extended, relative to it.

    ``requirements.txt`` and ``.gitignore`` of a repository keep their lines. Raises ``UsageError`` for a
    folder with a ``Pulumi.yaml`` or a program, and for an unknown extra; ``OpsError`` when a file cannot be
    written.
    """
    _check(folder, extras)
    try:
        project.write_program(folder, "team.yaml")
        brackets = f"[{','.join(extras)}]" if extras else ""
        pinned = f"labelspace{brackets}=={version('labelspace')}"
        extended = [
            _extend(folder / "requirements.txt", [pinned], known=re.compile(r"labelspace\b")),
            _extend(folder / ".gitignore", project.template("gitignore.txt").splitlines()),
        ]
        workflow = folder / WORKFLOW
        workflow.parent.mkdir(parents=True, exist_ok=True)
        workflow.write_text(project.template("preview.yml"), encoding="utf-8")
    except OSError as error:
        raise OpsError(f"folder: {error.filename}: {error.strerror}: choose another folder") from None
    written = [folder / project.FILE, folder / "__main__.py", *extended, workflow]
    return [path.relative_to(folder) for path in written if path]


def _check(folder: Path, extras: Sequence[str]) -> None:
    for name in (project.FILE, "Pulumi.yml", "__main__.py"):
        if (folder / name).exists():
            raise UsageError(f"folder: {folder / name} exists: choose a folder without a Pulumi project")
    for extra in extras:
        if extra not in EXTRAS:
            raise UsageError(f"extra: {extra!r} is refused: choose one of {', '.join(EXTRAS)}")


def _extend(path: Path, lines: list[str], known: re.Pattern[str] | None = None) -> Path | None:
    """Add the lines that the file lacks; None when nothing was added.

    ``known``: a line that begins like this stands for all of them.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    present = text.splitlines()
    if known and any(known.match(line) for line in present):
        return None
    missing = [line for line in lines if line not in present]
    if not missing:
        return None
    separator = "" if not text or text.endswith("\n") else "\n"
    path.write_text(text + separator + "\n".join(missing) + "\n", encoding="utf-8")
    return path

"""Outside the targets' packages no code compares a target's name or a kind of database."""

from __future__ import annotations

import re
from pathlib import Path

import labelspace
import labelspace_ops

ROOTS = (Path(labelspace.__file__).parent, Path(labelspace_ops.__file__).parent)
ALLOWED = ("targets/", "spec/")
COMPARISON = re.compile(
    r"""(==|!=|\bin\b)\s*\(?["'](local|scaleway|kubernetes|managed|server|own|external)["']"""
)


def test_nobody_asks_for_a_targets_name() -> None:
    found = [
        f"{file.relative_to(root)}:{number}: {line.strip()}"
        for root in ROOTS
        for file in root.rglob("*.py")
        if not str(file.relative_to(root)).startswith(ALLOWED)
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if COMPARISON.search(line)
    ]
    assert found == []

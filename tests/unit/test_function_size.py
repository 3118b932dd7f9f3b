"""Functions are small: the median of their lines, and the longest one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
MEDIAN_LINES, MAX_LINES = 8, 60


def _functions() -> Iterator[tuple[str, int]]:
    """Place and number of lines of each function, with its decorators' lines left out."""
    for file in sorted(path for folder in ("components", "stacks") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", lines


def test_functions_are_small() -> None:
    functions = dict(_functions())
    assert len(functions) > 1000
    assert {place: lines for place, lines in functions.items() if lines > MAX_LINES} == {}
    assert median(functions.values()) <= MEDIAN_LINES

"""Bounds of the code's shape: small functions, and dictionaries without a type at the edges alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
MEDIAN_LINES, MAX_LINES = 8, 60
UNTYPED = "dict[str, Any]"
MOST_UNTYPED = 59
"""What Pulumi, Docker, HTTP and other programs give or take as JSON."""


def _files() -> list[Path]:
    return sorted(path for folder in ("components", "stacks") for path in (ROOT / folder).rglob("*.py"))


def _functions() -> Iterator[tuple[str, int]]:
    """Place and number of lines of each function, with its decorators' lines left out."""
    for file in _files():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", lines


def test_functions_are_small() -> None:
    functions = dict(_functions())
    assert len(functions) > 1000
    assert {place: lines for place, lines in functions.items() if lines > MAX_LINES} == {}
    assert median(functions.values()) <= MEDIAN_LINES


def test_data_between_modules_has_a_type() -> None:
    assert sum(file.read_text().count(UNTYPED) for file in _files()) <= MOST_UNTYPED

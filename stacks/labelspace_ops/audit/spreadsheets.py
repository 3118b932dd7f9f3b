"""Cells of CSV files that people open in a spreadsheet."""

from __future__ import annotations

STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: str) -> str:
    """Text that no spreadsheet runs: a leading apostrophe makes it text (OWASP, CSV injection)."""
    return f"'{value}" if value.startswith(STARTS_FORMULA) else value

"""Limits of ``--fail-on``. An unreadable limit is refused before the statistics are loaded, which is slow."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from labelspace_ops.core.errors import UsageError

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
LIMIT = re.compile(r"^\s*(\w+)\s*(?:\(([^()]*)\))?\s*(>=|<=|>|<)\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*$")
LOOKS = (
    'like "gap(error, gender) > 0.05", "gap(recall, gender, cat) > 0.1", "error > 0.2" or "suspicious > 0"'
)


@dataclass(frozen=True)
class Limit:
    """A number of the audit, and a bound that it must not break."""

    what: str
    """``gap``, ``error``, ``suspicious`` or ``items``."""
    arguments: list[str]
    """The arguments of a gap: the metric, the attribute, and optionally the class."""
    comparison: str
    bound: float

    def is_broken_by(self, value: float) -> bool:
        """Whether the value is on the wrong side of the bound."""
        return COMPARISONS[self.comparison](value, self.bound)


def parse(text: str) -> Limit:
    """A limit; raises ``UsageError`` when it cannot be read."""
    match = LIMIT.match(text)
    if match is not None and match[1] in {"gap", "error", "suspicious", "items"}:
        arguments = [one.strip() for one in (match[2] or "").split(",") if one.strip()]
        if len(arguments) in ({2, 3} if match[1] == "gap" else {0}):
            return Limit(match[1], arguments, match[3], float(match[4]))
    raise UsageError(f"fail-on: {text!r} cannot be read: write it {LOOKS}")

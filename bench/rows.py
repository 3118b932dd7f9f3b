"""What a bench hands back: rows of a figure, its peer's, and the bound that one of them must keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Bound:
    """A limit on a row's value, or on its ratio to the peer."""

    limit: float
    of: Literal["value", "ratio"] = "value"
    side: Literal["<=", ">="] = "<="

    def __str__(self) -> str:
        return f"{self.of} {self.side} {self.limit:g}"

    def holds(self, figure: float) -> bool:
        """Whether ``figure`` keeps the limit."""
        return figure <= self.limit if self.side == "<=" else figure >= self.limit


@dataclass(frozen=True)
class Row:
    """One figure. ``peer`` names what it is measured against, ``peer_value`` is in the same unit.

    ``runs``: the single measurements, where ``value`` is their median.
    """

    what: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    bound: Bound | None = None
    runs: Sequence[float] = field(default=(), kw_only=True)

    @property
    def ratio(self) -> float | None:
        """The value in terms of the peer's."""
        return self.value / self.peer_value if self.peer_value else None

    @property
    def passed(self) -> bool | None:
        """Whether the bound holds; None without a bound. A ratio without a peer's value holds no bound."""
        if self.bound is None:
            return None
        figure = self.value if self.bound.of == "value" else self.ratio
        return figure is not None and self.bound.holds(figure)

    @property
    def verdict(self) -> str:
        """For people: ``passed``, ``MISSED``, or nothing without a bound."""
        return {None: "", True: "passed", False: "MISSED"}[self.passed]

    def as_json(self) -> dict[str, Any]:
        """Plain values: ``what, value, unit, peer, peer_value, ratio, bound, passed, runs``."""
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "peer": self.peer or None,
            "peer_value": self.peer_value,
            "ratio": self.ratio,
            "bound": str(self.bound) if self.bound else None,
            "passed": self.passed,
            "runs": list(self.runs),
        }

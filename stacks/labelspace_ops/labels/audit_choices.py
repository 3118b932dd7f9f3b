"""What one chooses to audit. Light: labels as code lean on it, the statistics only when they are run."""

from __future__ import annotations

from dataclasses import dataclass

AUDIT_LABEL = "audit"
"""The label that a schema's audit block becomes in CVAT: never a class."""


@dataclass(frozen=True)
class Choices:
    """What to audit: attributes by kind (none: all select, radio, checkbox), labels that are no classes."""

    condition: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    additional: tuple[str, ...] = ()
    balance: tuple[str, ...] = ()
    seed: int = 0
    alpha: float = 0.05
    min_group: int = 30

    @property
    def named(self) -> tuple[str, ...]:
        """Every attribute that was asked for."""
        return tuple(dict.fromkeys(self.condition + self.protected + self.balance))

"""Options of an audit, in a module that loads fast: the labels need it without the statistics."""

from __future__ import annotations

from dataclasses import dataclass, field

AUDIT_LABEL = "audit"
"""The tag label in CVAT that has the attributes of the audit block; it is not a class."""
METRICS = ("error", "false_positive_rate", "false_negative_rate", "precision", "recall", "f1",
           "selection_rate", "auc", "average_precision")  # fmt: skip


@dataclass(frozen=True)
class Choices:
    """Attributes to audit by kind (none: all of select, radio, checkbox), and options."""

    condition: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    additional: tuple[str, ...] = ()
    balance: tuple[str, ...] = ()
    seed: int = 0
    alpha: float = 0.05
    min_group: int = 30
    level: str = ""
    """``object`` or ``image``; empty: the level that describes more images."""
    cluster: str = ""
    """An attribute whose values name items that belong together; empty: the image, or the video."""
    bins: dict[str, str] = field(default_factory=dict)
    """By number attribute: the number of bins of equal counts, or the inner edges (``18,40,65``)."""
    unknown: tuple[str, ...] = ()
    """More values that mean unknown."""
    metrics: tuple[str, ...] = METRICS

    @property
    def named(self) -> tuple[str, ...]:
        """Every attribute that the options name."""
        extra = (self.cluster,) if self.cluster else ()
        return tuple(dict.fromkeys((*self.condition, *self.protected, *self.balance, *self.bins, *extra)))

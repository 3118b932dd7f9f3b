"""What to audit and how. Light: the labels lean on it, the statistics are loaded only when they run."""

from __future__ import annotations

from dataclasses import dataclass, field

AUDIT_LABEL = "audit"
"""The label that a schema's audit block becomes in CVAT: never a class."""
METRICS = ("error", "false_positive_rate", "false_negative_rate", "precision", "recall", "f1",
           "selection_rate", "auc", "average_precision")  # fmt: skip


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
    level: str = ""
    """``object`` or ``image``; empty: the level that describes more images."""
    cluster: str = ""
    """An attribute whose values say which items belong together; empty: the image, or the video."""
    bins: dict[str, str] = field(default_factory=dict)
    """Of a number attribute: how many bins of equal counts, or its inner edges (``18,40,65``)."""
    unknown: tuple[str, ...] = ()
    """Further values that mean that the annotator could not tell."""
    metrics: tuple[str, ...] = METRICS

    @property
    def named(self) -> tuple[str, ...]:
        """Every attribute that was asked for."""
        extra = (self.cluster,) if self.cluster else ()
        return tuple(dict.fromkeys((*self.condition, *self.protected, *self.balance, *self.bins, *extra)))

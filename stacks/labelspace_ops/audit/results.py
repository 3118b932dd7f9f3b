"""The types of the results of an audit. ``audit.json`` is the JSON of ``AuditReport``."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

Class = Annotated[str, Field(alias="class")]
"""A class; its key in JSON is ``class``."""
AnyClass = Annotated[str | None, Field(alias="class")]
Cell = dict[str, str | int]
"""A ``class``, a value of each condition, and a number of images."""


@dataclass
class Agreement:
    """Where images were annotated twice."""

    items: int
    """Images with two values."""
    agreement: float
    """The share on which both agree."""
    kappa: float | None
    """Cohen's kappa; null when agreement by chance is certain."""


@dataclass
class AuditedAttribute:
    """How many items carry an attribute or condition."""

    kind: str
    """``condition``, ``protected``, ``measured`` (computed, not annotated) or ``unmarked``."""
    items: int
    """All items."""
    carried: int
    """Items with a value."""
    coverage: float
    """Share of items with a value."""
    unknown: int
    """Items with a value that means unknown."""
    values: dict[str, int]
    """Items of each value."""
    agreement: Agreement | None
    """Agreement of images that were annotated twice; null without such images."""


@dataclass
class AuditedPair:
    """A class compared with the other classes by an attribute."""

    attribute: str
    """The attribute."""
    label: Class
    """The class."""
    measured: bool
    """Whether the condition is measured, and not annotated."""
    counts: dict[str, int]
    """Items of the class by value."""
    rest: dict[str, int]
    """Items of the other classes by value."""
    cramers_v: float | None = None
    """Bias-corrected Cramer's V; null when nothing can be compared."""
    ci_low: float | None = None
    """Lower end of its 95 % interval; null where it is not given."""
    ci_high: float | None = None
    """Upper end."""
    p_value: float | None = None
    """The p-value of the test of independence, with clusters as samples."""
    p_adjusted: float | None = None
    """Adjusted by Holm's method."""
    suspicious: bool = False
    """Whether it is significant, and V or the gap is at least 0.1."""
    test: str | None = None
    """The test."""
    gap: float = 0.0
    """The largest difference of shares."""
    repeats: str | None = None
    """Of two classes: the other class, whose row says the same."""
    sentence: str | None = None
    """The finding in words, when it is suspicious."""
    why: str | None = None
    """Why there is no test or no interval."""


@dataclass
class AuditedRate:
    """An error rate."""

    by: dict[str, str]
    """Attributes and values of the group; empty: all."""
    label: AnyClass
    """The true class; null: all."""
    n: int
    """Items that were evaluated."""
    errors: int
    """Items that were predicted wrongly, or missed."""
    error_rate: float
    """Share of the evaluated items that are errors."""
    effective: float
    """The effective sample size: as many independent items give the same precision."""
    ci_low: float
    """Lower end of the 95 % interval."""
    ci_high: float
    """Upper end."""
    too_small: bool
    """Whether there are fewer items than ``min_group``."""
    wide_low: float = 0.0
    """Lower end when all groups are looked at together (Bonferroni)."""
    wide_high: float = 1.0
    """Upper end of that."""
    differs: bool = False
    """Whether that interval excludes the rate of all items."""


@dataclass
class Stratum:
    """The rates of two groups within one value of another attribute."""

    value: str
    """The value."""
    worst: float
    """Rate of the group that is worst over all."""
    best: float
    """Rate of the group that is best over all."""


@dataclass
class Reversal:
    """A difference that has the other sign within each value of another attribute (Simpson's paradox)."""

    attribute: str
    """The other attribute."""
    strata: list[Stratum]
    """Its values."""


@dataclass
class AuditedGap:
    """The largest difference of a rate between two groups of an attribute."""

    attribute: str
    """The attribute."""
    metric: str
    """``error``, ``false_positive_rate``, ``false_negative_rate``, ``precision``, ``recall``,
    ``selection_rate``, ``f1``, ``auc`` or ``average_precision``."""
    label: AnyClass
    """The class; null for ``error``."""
    too_small: list[str]
    """Groups that are too small to compare."""
    worst: str | None = None
    """The worst group; null when all are alike or too small."""
    best: str | None = None
    """The best group."""
    difference: float | None = None
    """The larger rate minus the smaller one; null when fewer than two groups are large enough."""
    ratio: float | None = None
    """The smaller rate over the larger one."""
    ci_low: float | None = None
    """Lower end of the difference's interval, for any pair of the groups."""
    ci_high: float | None = None
    """Upper end."""
    p_value: float | None = None
    """The p-value of the test that all groups are alike."""
    p_adjusted: float | None = None
    """Adjusted by Holm's method over all differences."""
    test: str | None = None
    """The test."""
    distinguishable: bool = False
    """Whether the adjusted p-value is below ``alpha``."""
    reversal: Reversal | None = None
    """Another attribute within whose values the difference has the other sign."""
    sentence: str = ""
    """The result in words."""


@dataclass
class GroupRates:
    """The confusion matrix of a class within a group; rates of too few items are null."""

    n: int
    """Items, or images with several labels."""
    true_positives: int
    """Items of the class that were predicted as it."""
    false_negatives: int
    """Items of the class that were not predicted as it."""
    false_positives: int
    """Predictions of the class on items of other classes, or on no object."""
    true_negatives: int | None
    """All other items; null for boxes."""
    selection_rate: float | None
    """Share that is predicted as the class."""
    true_positive_rate: float | None
    """Recall."""
    false_negative_rate: float | None
    """Share of the class that is missed."""
    false_positive_rate: float | None
    """Share of the other items that is predicted as the class."""
    precision: float | None
    """Share of the predictions of the class that are right."""
    f1: float | None
    """Harmonic mean of precision and recall."""
    auc: float | None = None
    """Area under the ROC curve, when the model scores every class."""
    average_precision: float | None = None
    """COCO's average precision at the IoU of the audit, for boxes with scores."""


@dataclass
class Fairness:
    """The rates of a class in each group of an attribute, and how far they differ."""

    attribute: str
    """The attribute."""
    label: Class
    """The class."""
    too_small: list[str]
    """Groups that are too small to compare."""
    groups: dict[str, GroupRates]
    """The rates of each group; empty when fewer than two are large enough."""
    demographic_parity_difference: float | None = None
    """Largest difference of selection rates."""
    demographic_parity_ratio: float | None = None
    """Smallest selection rate over the largest."""
    equalized_odds_difference: float | None = None
    """Largest difference of true or of false positive rates."""
    why: str | None = None
    """Why there is no comparison."""


@dataclass
class ConfusionMatrix:
    """How often each true class was predicted as each class."""

    by: dict[str, str]
    """The group; empty: all."""
    predicted: list[str]
    """The predicted classes, as the columns are ordered; ``nothing``: missed."""
    matrix: dict[str, list[int]]
    """A row per true class; ``nothing``: boxes that fit no object."""


@dataclass
class Independent:
    """The largest set found in which class and conditions are independent."""

    files: list[str]
    """Its images."""
    cells: list[Cell]
    """Images of each class and condition."""


@dataclass
class LeftOut:
    """A class or value to leave out so that a balanced set is possible."""

    attribute: str
    """``class``, or a condition."""
    value: str
    """What to leave out."""
    images: int
    """Images of the balanced set after this step."""


@dataclass
class BalancedSet:
    """A set with as many images in each combination of class and conditions."""

    conditions: list[str]
    """The attributes that are balanced."""
    files: list[str]
    """Its images."""
    cells: list[Cell]
    """The combinations, with ``available`` images."""
    per_cell: int
    """Images of each combination."""
    limited_by: list[Cell]
    """The scarcest combinations."""
    collect_next: list[Cell]
    """How many ``more`` images of which combination raise the set."""
    independent: Independent
    """A larger set with unequal cells."""
    leave_out: list[LeftOut]
    """Steps to a set where this one is empty."""
    left_out: dict[str, int]
    """Images that are left out, by the reason."""
    seed: int
    """The seed of the draw."""


@dataclass
class Weighting:
    """What the weights do, and how much the weighted data is worth."""

    attributes: list[str]
    """The attributes that become independent of the class."""
    items: int
    """Items."""
    unknown_group: int
    """Items of unknown group: they weigh 1."""
    empty_cells: int
    """Combinations of group and class without an item."""
    smallest: float | None
    """The smallest weight."""
    largest: float | None
    """The largest weight."""
    effective_sample_size: float
    """The effective sample size: as many unweighted items give the same precision."""


@dataclass
class Compared:
    """What changed since an earlier audit."""

    new: list[str]
    """Findings that were not there."""
    gone: list[str]
    """Findings that are no longer there."""
    sentences: list[str]
    """All changes in words."""


@dataclass
class AuditReport:
    """What `labelspace audit` finds."""

    source: str
    """The format."""
    level: str
    """What an item is: ``object`` or ``image``."""
    levels: dict[str, int]
    """Items that each level has."""
    clustered_by: str
    """What makes items depend on each other: ``image``, ``video`` or an attribute."""
    clusters: int
    """How many independent samples there are."""
    images: int
    """Images, each once."""
    unlabelled_images: int
    """Images without a class."""
    items: int
    """Items that were audited."""
    classes: dict[str, int]
    """Items of each class."""
    additional_labels: list[str]
    """Labels that only carry attributes."""
    attributes: dict[str, AuditedAttribute]
    """Attributes and measured conditions."""
    alpha: float
    """Level of the tests."""
    confidence: float
    """Level of the intervals."""
    min_group: int
    """Groups with fewer items are not compared."""
    notes: list[str]
    """What was left out or read in a special way, and why."""
    associations: list[AuditedPair]
    """Every class by every attribute, the strongest first."""
    balanced_set: BalancedSet
    """Validation sets."""
    weights: str
    """Name of the file of weights."""
    weighting: Weighting
    """By which attributes, and how much the weighted data is worth."""
    error_rates: list[AuditedRate] = field(default_factory=list)
    """The worst first; empty without predictions."""
    summary: list[str] = field(default_factory=list)
    """At most five sentences."""
    predictions: dict[str, int] | None = None
    """How many predictions matched, and what became of the others; absent without predictions."""
    gaps: list[AuditedGap] | None = None
    """Differences between groups; absent without predictions."""
    fairness: list[Fairness] | None = None
    """Rates of each class in each group, with parity and odds gaps; absent without predictions."""
    confusion: list[ConfusionMatrix] | None = None
    """Confusion matrices of all items and of each group; absent without predictions."""
    compared: Compared | None = None
    """Against an earlier audit; absent without ``--compare``."""

    def as_json(self) -> dict[str, Any]:
        """The object that is written to ``audit.json``; absent keys are left out."""
        found: dict[str, Any] = _adapter().dump_python(self, by_alias=True)
        optional = ("predictions", "gaps", "fairness", "confusion", "compared")
        return {key: value for key, value in found.items() if value is not None or key not in optional}

    @property
    def overall(self) -> AuditedRate | None:
        """The error rate of all items."""
        return next((row for row in self.error_rates if not row.by and row.label is None), None)

    def findings(self, *, measured: bool = False) -> list[AuditedPair]:
        """The suspicious pairs, each once."""
        rows = (row for row in self.associations if row.measured is measured)
        return [row for row in rows if row.suspicious and row.repeats is None]


@cache
def _adapter() -> TypeAdapter[AuditReport]:
    return TypeAdapter(AuditReport)

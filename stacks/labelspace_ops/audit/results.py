"""The shape of ``audit.json``: what `labelspace audit --json` prints."""

from __future__ import annotations

from pydantic import Field

from labelspace_ops.core.models import JsonModel


class AuditedAttribute(JsonModel):
    """How many items carry an attribute or condition."""

    kind: str
    """``condition``, ``protected``, ``measured`` (nobody annotated it) or ``unmarked``."""
    items: int
    """All items."""
    carried: int
    """Those with a value."""
    coverage: float
    """Their share."""
    unknown: int
    """Those whose value says that the annotator could not tell."""
    values: dict[str, int]
    """Items of each value."""
    agreement: dict[str, float | int | None] | None
    """Where images were annotated twice: ``items``, ``agreement`` as a share, ``kappa``."""


class AuditedPair(JsonModel):
    """A class against the rest by an attribute."""

    attribute: str
    """The attribute."""
    label: str = Field(alias="class")
    """The class."""
    cramers_v: float | None
    """Bias-corrected Cramer's V; null when nothing can be compared."""
    ci_low: float | None
    """Lower end of its 95 % interval; null where it is not given."""
    ci_high: float | None
    """Upper end."""
    p_value: float | None
    """Of the test of independence, clusters taken as samples."""
    p_adjusted: float | None
    """Adjusted by Holm's method."""
    suspicious: bool
    """Whether it is significant, and V or the gap is at least 0.1."""
    test: str | None
    """The test."""
    gap: float
    """The largest difference of shares."""
    repeats: str | None
    """Of two classes: the other class, whose row says the same."""
    measured: bool
    """Whether the condition is measured, and not annotated."""
    counts: dict[str, int]
    """Items of the class by value."""
    rest: dict[str, int]
    """Items of the other classes by value."""
    sentence: str | None
    """The finding in words, when it is suspicious."""
    why: str | None = None
    """Why there is no test or no interval."""


class AuditedRate(JsonModel):
    """An error rate."""

    by: dict[str, str]
    """Attributes and values of the group; empty: all."""
    label: str | None = Field(alias="class")
    """The true class; null: all."""
    n: int
    """Judged items."""
    errors: int
    """Those that were predicted wrongly, or not at all."""
    error_rate: float
    """Their share."""
    effective: float
    """How many independent items tell as much."""
    ci_low: float
    """Lower end of the 95 % interval."""
    ci_high: float
    """Upper end."""
    too_small: bool
    """Whether there are fewer items than ``min_group``."""
    wide_low: float
    """Lower end when all groups are looked at together (Bonferroni)."""
    wide_high: float
    """Upper end of that."""
    differs: bool
    """Whether that interval excludes the rate of all items."""


class AuditedGap(JsonModel):
    """The largest difference of a rate between two groups of an attribute."""

    attribute: str
    """The attribute."""
    metric: str
    """``error``, ``false_positive_rate``, ``false_negative_rate``, ``precision``, ``recall`` or
    ``selection_rate``."""
    label: str | None = Field(alias="class")
    """The class; null for ``error``."""
    too_small: list[str]
    """Groups that are too small to compare."""
    worst: str | None
    """The worst group; null when all are alike or too small."""
    best: str | None
    """The best group."""
    difference: float | None
    """The larger rate minus the smaller one; null when fewer than two groups are large enough."""
    ratio: float | None
    """The smaller rate over the larger one."""
    ci_low: float | None
    """Lower end of the difference's interval, for any pair of the groups."""
    ci_high: float | None
    """Upper end."""
    p_value: float | None
    """Of the test that all groups are alike."""
    p_adjusted: float | None
    """Adjusted by Holm's method over all differences."""
    test: str | None
    """The test."""
    distinguishable: bool
    """Whether the adjusted p-value is below ``alpha``."""
    reversal: dict[str, object] | None
    """``attribute`` within whose values (``strata``) the difference has the other sign."""
    sentence: str
    """The result in words."""


class AuditReport(JsonModel):
    """What `labelspace audit` finds."""

    summary: list[str]
    """At most five sentences."""
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
    """Smaller groups are not judged."""
    notes: list[str]
    """What was left out or read in a special way, and why."""
    associations: list[AuditedPair]
    """Every class by every attribute, the strongest first."""
    balanced_set: dict[str, object]
    """``files``, ``cells``, ``per_cell``, ``limited_by``, ``collect_next``, ``independent`` and
    ``leave_out``."""
    weights: str
    """Name of the file of weights."""
    weighting: dict[str, object]
    """By which attributes, and how much the weighted data is worth."""
    error_rates: list[AuditedRate]
    """The worst first; empty without predictions."""
    predictions: dict[str, int] | None = None
    """How many predictions matched, and what became of the others; absent without predictions."""
    gaps: list[AuditedGap] | None = None
    """Differences between groups; absent without predictions."""
    fairness: list[dict[str, object]] | None = None
    """Rates of each class in each group, with parity and odds gaps; absent without predictions."""
    confusion: list[dict[str, object]] | None = None
    """Confusion matrices of all items and of each group; absent without predictions."""
    compared: dict[str, object] | None = None
    """``new``, ``gone`` and ``sentences`` against an earlier audit; absent without ``--compare``."""

"""Writes the audit as one HTML page without scripts or network access."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path

from labelspace_ops.audit import charts
from labelspace_ops.audit.charts import safe
from labelspace_ops.audit.results import (
    Agreement,
    AuditedGap,
    AuditedPair,
    AuditReport,
    Cell,
)

MOST_FINDINGS = 20
MOST_ROWS = 40
RATES = {
    "selection_rate": "selected", "true_positive_rate": "recall",
    "false_positive_rate": "false positive rate", "precision": "precision", "f1": "F1", "auc": "AUC",
    "average_precision": "average precision", "demographic_parity_difference": "parity gap",
    "equalized_odds_difference": "odds gap",
}  # fmt: skip
"""The rates of a group and the headings of their columns; a rate that no group has is left out."""
MEANINGS = {
    "selection_rate": "how many of the group are predicted as the class",
    "true_positive_rate": "how many of the class are found",
    "false_positive_rate": "how many of the others are taken for the class",
    "precision": "how many predictions of the class are right",
    "f1": "the harmonic mean of recall and precision",
    "auc": "how often one of the class scores above one of the others",
    "average_precision": "precision averaged over all recalls, as COCO does",
    "demographic_parity_difference": "the largest difference of selected",
    "equalized_odds_difference": "the largest difference of recall or of false positive rate",
}
"""What each rate says."""


def page(found: AuditReport, thumbnails: dict[tuple[str, str], list[str]] | None = None) -> str:
    """The page; ``thumbnails`` maps a class and an attribute to examples as data URLs."""
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    sections = (
        _summary,
        _tiles,
        _notes,
        lambda found: _findings(found, thumbnails or {}),
        lambda found: _measured(found, thumbnails or {}),
        _strengths,
        _coverage,
        _errors,
        _gaps,
        _fairness,
        _confusion,
        _balanced,
        _weights,
        _compared,
        _method,
    )
    body = "".join(section(found) for section in sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Audit of annotations</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{style}</style></head><body><main><h1>What the annotations say beyond their labels</h1>"
        f'<p class="soft">{safe(found.source)} · {_level(found)}</p>{body}</main></body></html>\n'
    )


def _level(found: AuditReport) -> str:
    return "an item is a tag of an image" if found.level == "image" else "an item is an object in an image"


def _summary(found: AuditReport) -> str:
    return '<section class="lead">' + "".join(f"<p>{safe(one)}</p>" for one in found.summary) + "</section>"


def _section(title: str, lead: str, body: str) -> str:
    return f'<section><h2>{title}</h2><p class="soft">{lead}</p>{body}</section>'


def _table(head: list[str], rows: list[list[str]], css: str = "", numbers: int = 0) -> str:
    """A table of HTML cells; the last ``numbers`` columns are right-aligned."""
    first = len(head) - numbers
    heads = "".join(f"<th{' class=n' if place >= first else ''}>{one}</th>" for place, one in enumerate(head))
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=n' if place >= first else ''}>{one}</td>" for place, one in enumerate(row))
        + "</tr>"
        for row in rows
    )
    table = f'<table class="{css}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="wide">{table}</div>'


def _tiles(found: AuditReport) -> str:
    suspicious = len(found.findings())
    tiles = [
        ("", f"{found.items:,}", "objects" if found.level == "object" else "image tags"),
        ("", f"{found.images:,}", f"images, {found.unlabelled_images:,} without a class"),
        ("", f"{len(found.classes):,}", "classes"),
        ("", f"{len(found.attributes):,}", "audited attributes"),
        (" warn" if suspicious else "", f"{suspicious:,}", "suspicious pairs of class and condition"),
        ("", f"{len(found.balanced_set.files):,}", "images in the balanced set"),
    ]
    return '<div class="tiles">' + "".join(
        f'<div class="tile{css}"><b>{number}</b><span>{what}</span></div>' for css, number, what in tiles
    ) + "</div>"  # fmt: skip


def _notes(found: AuditReport) -> str:
    notes = list(found.notes)
    if found.additional_labels:
        notes.append(
            "labels that only carry attributes, never counted as classes: "
            + ", ".join(found.additional_labels)
        )
    return _section("Before you read on", "What was left out, and why.", _list(notes)) if notes else ""


def _list(lines: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{safe(line)}</li>" for line in lines) + "</ul>"


def _findings(found: AuditReport, thumbnails: dict[tuple[str, str], list[str]]) -> str:
    rows = found.findings()
    lead = (
        "Classes that go together with a condition: a model may learn the condition instead of the class. V"
        " is the strength, from 0 (independent) to 1 (one tells the other), with its 95 % interval; p is how"
        " likely chance alone makes such a difference, adjusted for all pairs."
    )
    return _section("Suspicious pairs", lead, _listed(rows, thumbnails) if rows else "<p>None was found.</p>")


def _measured(found: AuditReport, thumbnails: dict[tuple[str, str], list[str]]) -> str:
    rows = found.findings(measured=True)
    lead = (
        "The same with conditions that nobody annotated: sizes, places and shapes of boxes and images."
        " Some are as they should be: a car is wider than a person."
    )
    return _section("Measured conditions", lead, _listed(rows, thumbnails)) if rows else ""


def _listed(rows: list[AuditedPair], thumbnails: dict[tuple[str, str], list[str]]) -> str:
    more = len(rows) - MOST_FINDINGS
    body = "".join(
        _finding(row, thumbnails.get((row.label, row.attribute), [])) for row in rows[:MOST_FINDINGS]
    )
    return body + (f'<p class="soft small">{more} more in audit.json.</p>' if more > 0 else "")


def _finding(row: AuditedPair, images: list[str]) -> str:
    shown = "".join(f'<img src="{one}" alt="an example">' for one in images)
    thumbs = f'<div class="thumbs">{shown}</div>' if images else ""
    return (
        f'<div class="finding"><b>{safe(row.sentence)}</b>{charts.shares(row)}{thumbs}'
        f'<span class="small soft">upper bar: class {safe(row.label)}, lower bar: all other classes · '
        f"V {charts.strength(row)} · p {_p(row.p_adjusted)} ({safe(row.test)})</span></div>"
    )


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return f"= {value:.3f}" if value >= 0.001 else "&lt; 0.001"


def _strengths(found: AuditReport) -> str:
    value = {(row.attribute, row.label): row for row in found.associations}
    classes = list(found.classes)[:12]
    rows = [
        [safe(name), *(_heat(value.get((name, label))) for label in classes)]
        for name in list(found.attributes)[:MOST_ROWS]
    ]
    if not rows or not classes:
        return ""
    more = len(found.classes) - len(classes)
    lead = (
        "The strength (Cramér's V) of each class against the rest: 0 is independent, 1 is the same thing;"
        " bold is suspicious; a dash: nothing to compare."
    ) + (f" {more} more classes in audit.json." if more > 0 else "")
    return _section("Every class by every attribute", lead, _table(["", *map(safe, classes)], rows, "heat"))


def _heat(row: AuditedPair | None) -> str:
    if row is None or row.cramers_v is None:
        return '<span class="soft">&ndash;</span>'
    shade = f"background: rgba(var(--heat), {row.cramers_v * 0.75:.2f})"
    weight = "; font-weight: 700" if row.suspicious else ""
    return f'<span class="cell" style="{shade}{weight}">{row.cramers_v:.2f}</span>'


def _coverage(found: AuditReport) -> str:
    rows = [
        (
            f"{name} ({one.kind})",
            one.coverage,
            f"{one.carried:,} of {one.items:,}" + (f", {one.unknown:,} unknown" if one.unknown else ""),
        )
        for name, one in list(found.attributes.items())[:MOST_ROWS]
    ]
    agreed = [f"{name}: {_agreed(one.agreement)}" for name, one in found.attributes.items() if one.agreement]
    body = charts.bars(rows) + (_list(agreed) if agreed else "")
    return _section("Coverage", "How many items carry each attribute.", body) if rows else ""


def _agreed(one: Agreement) -> str:
    said = f"two annotators agree on {one.agreement * 100:.0f} % of {one.items:,} images"
    return said if one.kappa is None else f"{said}, kappa {one.kappa:.2f}"


def _errors(found: AuditReport) -> str:
    if found.predictions is None:
        return ""
    rates = found.error_rates
    single = [row for row in rates if len(row.by) == 1 and row.label is None]
    crossed = [row for row in rates if len(row.by) + (row.label is not None) == 2]
    whole = [row for row in rates if not row.by and row.label is None]
    body = charts.whiskers([*whole, *single[:MOST_ROWS]])
    lead = f"Crossed with the true class and with each other, the worst first{_of(crossed, 12)}:"
    body += f'<p class="soft apart">{lead}</p>'
    body += charts.whiskers(crossed[:12])
    error = "missed or given another class" if found.predictions.get("missed") else "given another class"
    lead = (
        f"An error is an item that is {error}; errors and items are in brackets. Dots are rates, lines"
        " their 95 % intervals. The worst group comes first."
    )
    return _section("Error rates", lead, body)


def _gaps(found: AuditReport) -> str:
    rows = [row for row in found.gaps or [] if row.difference is not None]
    rows.sort(key=lambda row: (not row.distinguishable, row.reversal is None, row.metric != "error"))
    if not rows:
        return ""
    lines = "".join(map(_gap, rows[:MOST_ROWS]))
    lead = (
        "The largest difference between two groups that are large enough, tested; highlighted where it is"
        " more than chance explains, or turns round within another attribute."
    )
    return _section("Differences between groups", lead, f"<ul>{lines}</ul>{_rest(len(rows) - MOST_ROWS)}")


def _gap(row: AuditedGap) -> str:
    css = " class=clear" if row.distinguishable or row.reversal else ""
    return f"<li{css}>{safe(row.sentence)}</li>"


def _rest(more: int) -> str:
    return f'<p class="soft small">{more:,} more in audit.json.</p>' if more > 0 else ""


def _confusion(found: AuditReport) -> str:
    if not found.confusion:
        return ""
    one = found.confusion[0]
    used = [place for place in range(len(one.predicted)) if any(row[place] for row in one.matrix.values())]
    rows = [
        [safe(label), *(f"{counts[place]:,}" for place in used)]
        for label, counts in one.matrix.items() if any(counts)
    ]  # fmt: skip
    head = ["true class", *(safe(one.predicted[place]) for place in used)]
    lead = (
        "How often each true class (row) was predicted as each class (column); of each group in audit.json."
    )
    if found.predictions and {"missed", "found_nothing"} & found.predictions.keys():
        lead += " Column nothing: objects that were missed. Row nothing: predictions on no object."
    return _section("Confusion matrix", lead, _table(head, rows, numbers=len(used)))


def _compared(found: AuditReport) -> str:
    if found.compared is None:
        return ""
    return _section("Against the earlier audit", "What changed since.", _list(found.compared.sentences))


def _of(rows: Sized, shown: int) -> str:
    return f" ({shown} of {len(rows):,})" if len(rows) > shown else ""


def _fairness(found: AuditReport) -> str:
    every = [
        (one, group, {**vars(rates), **vars(one)})
        for one in found.fairness or [] for group, rates in one.groups.items()
    ]  # fmt: skip
    used = [key for key in RATES if any(known[key] is not None for _, _, known in every)]
    rows = [
        [safe(f"{one.attribute}: {group}"), safe(one.label),
         f"{known['true_positives'] + known['false_negatives']:,} of {known['n']:,}",
         *(_rate(known[key]) for key in used)]
        for one, group, known in every if any(known[key] is not None for key in used)
    ]  # fmt: skip
    head = ["group", "class", "of the class", *(RATES[key] for key in used)]
    meanings = "; ".join(f"{RATES[key]}: {MEANINGS[key]}" for key in used)
    lead = "The rates of each class within each group; a dash where too few are known. "
    lead += f"{meanings[:1].upper()}{meanings[1:]}."
    cut = (
        f'<p class="soft small">{len(rows) - MOST_ROWS:,} more rows in audit.json.</p>'
        if len(rows) > MOST_ROWS
        else ""
    )
    return (
        _section(
            "Do predictions depend on the group?",
            lead,
            _table(head, rows[:MOST_ROWS], numbers=len(head) - 2, css="dense") + cut,
        )
        if rows
        else ""
    )


def _rate(value: float | None) -> str:
    return "&ndash;" if value is None else f"{value * 100:.1f} %"


def _balanced(found: AuditReport) -> str:
    one = found.balanced_set
    if not one.cells:
        return ""
    names = ["class", *one.conditions]
    rows = sorted(one.cells, key=lambda cell: cell["available"])
    body = _table([*map(safe, names), "images"], [
        [*(safe(cell[name]) for name in names),
         _count(cell, one.per_cell)]
        for cell in rows[:MOST_ROWS]
    ], numbers=1)  # fmt: skip
    more = [
        f"collect {cell['more']:,} more of {', '.join(f'{name}: {cell[name]}' for name in names)}"
        for cell in one.collect_next[:8]
    ]
    left = [f"{count:,} images left out: {why}" for why, count in one.left_out.items() if count]
    what = f"{len(one.cells):,} combinations of {safe(', '.join(names))}"
    lead = (
        f"{len(one.files):,} images, {one.per_cell:,} in each of the {what}; listed in balanced.txt."
        " The scarcest combinations limit it."
        if one.files
        else f"There is none: of the {what}, {len(one.limited_by):,} have no image."
    )
    independent, drop = one.independent.files, one.leave_out
    if len(independent) > len(one.files):
        said = (
            "images, in independent.txt, make a set of unequal combinations in which class and conditions are"
        )
        more.insert(0, f"{len(independent):,} {said} independent")
    if drop:
        steps = ", then ".join(f"{one.attribute}: {one.value}" for one in drop)
        more.insert(0, f"to get a set, leave out {steps}: {drop[-1].images:,} images are left")
    return _section("Balanced validation set", lead, body + _list([*more, *left]))


def _count(cell: Cell, least: int) -> str:
    """The count of a cell, in red if the cell limits the set."""
    count = f"{cell['available']:,}"
    return f'<span class="bad">{count}</span>' if cell["available"] == least else count


def _weights(found: AuditReport) -> str:
    one = found.weighting
    if not one.attributes or not one.items:
        return ""
    lines = [
        f"they go from {one.smallest:.2f} to {one.largest:.2f}",
        f"weighted, the {one.items:,} items are worth {one.effective_sample_size:,.0f} without weights",
        *([f"{one.unknown_group:,} items of unknown group weigh 1"] if one.unknown_group else []),
        *([f"{one.empty_cells} combinations of group and class have no item: no weight makes up for that"]
          if one.empty_cells else []),
    ]  # fmt: skip
    names = safe(", ".join(one.attributes))
    lead = (
        f"With the weights of {safe(found.weights)}, class and {names} are independent where both are known."
    )
    return _section("Weights", lead, _list(lines))


METHOD = """
An item is {item}. {samples}
The p-value of a pair is of the chi-square test, or of Fisher's exact test where expected counts are below 5;
with several items in a {cluster} (a cluster) of a permutation of whole clusters where the attribute is the
same in each, else of flipped signs of their deviations, and beyond 4,000 clusters of the cluster-robust
chi-square. P-values of recorded attributes, of measured conditions and of
differences between groups are adjusted apart, by Holm's method at {alpha:g}. Cramér's V is bias-corrected
(Bergsma 2013); its interval inverts the noncentral chi-square distribution and is not given where a count is
below 5. A pair is suspicious when it is significant and V or the difference of shares is 0.1 or more. Rates
have Wilson's intervals, differences Newcombe's (1998), both with the effective number of items; of more than
two groups the interval holds for every pair (Bonferroni). Differences in F1, AUC and average precision (of
boxes, COCO's at one IoU) are tested by Wald's statistic with the covariance of a bootstrap of whole
clusters. A difference is said to turn round within an attribute when it does so in each value, and the rate
depends on that attribute more than chance explains. Groups under {min_group} items, and rates of fewer
positives or negatives, are not judged. Where most false positives have no value of an attribute, precision,
F1 and average precision are not compared by it.
Weights: Kamiran and Calders 2012; effective size: Kish 1965. Nothing here shows what causes what.
"""


def _method(found: AuditReport) -> str:
    item = "a tag of an image" if found.level == "image" else "an object in an image"
    samples = "Each item is a sample of its own."
    if found.clusters < found.items:
        samples = (
            f"Items of one {found.clustered_by} depend on each other: tests and intervals take the"
            f" {found.clusters:,} of them as samples."
        )
    said = METHOD.format(
        alpha=found.alpha, min_group=found.min_group, item=item, cluster=safe(found.clustered_by),
        samples=safe(samples),
    )  # fmt: skip
    return _section("Methods", "What was assumed and computed.", f'<p class="small">{said}</p>')

"""Assigns predictions to items by id, position or overlap. Notes count the predictions that fit no item."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit import overlap
from labelspace_ops.audit.items import Items
from labelspace_ops.audit.predictions import Options, Prediction
from labelspace_ops.audit.readers.table import NO_LABEL
from labelspace_ops.audit.vocabulary import shortened
from labelspace_ops.core.errors import UsageError

NONE = -1
"""No class: a missed object, or a predicted box without an object."""
MOSTLY = 0.5
"""If predictions name at least this share of the images, objects in the other images also count as missed."""
LEAST_BOXES = 10
"""From this many boxes on, none on an object means that their numbers mean something else."""
MULTI_LABEL_SCORE = 0.5
"""The least score at which a label of an image with several labels counts as predicted."""
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Outcomes:
    """A row per evaluated item, and per prediction that fits no item."""

    item: Codes
    """The item; where a prediction fits no item (``truth`` is NONE), an item of its image."""
    truth: Codes
    predicted: Codes
    """Class codes; codes beyond the export's classes refer to ``others``."""
    others: list[str]
    kind: str
    """``items``: one class per item; ``labels``: several classes per image; ``boxes``: matched by overlap."""
    scores: NDArray[np.float64] | None
    """The score of each row and class, if the model scores all classes."""
    box_scores: NDArray[np.float64] | None
    """For boxes: the score of each row's prediction, nan where an object was missed."""
    counts: dict[str, int]
    notes: list[str] = field(default_factory=list)


def match(rows: list[Prediction], items: Items, options: Options) -> Outcomes:
    """Match predictions with items; raises ``UsageError`` when none fits, because the input is wrong."""
    notes: list[str] = []
    rows = _mapped(rows, items, options, notes)
    by_image, counts = _by_image(rows, items, notes)
    _refuse_none(rows, items, by_image)
    codes = {name: code for code, name in enumerate(items.classes)}
    others = sorted({row.label for row in rows} - {"", *codes})
    codes |= {name: len(codes) + place for place, name in enumerate(others)}
    if any(row.box for row in rows):
        matcher = _by_overlap
    elif items.several_labels:
        matcher = _by_label
    else:
        matcher = _by_identity
    item, truth, predicted, kind, scores = matcher(by_image, items, codes, counts, options)
    _refuse_unmatched(counts, rows, items)
    counts["unknown_class"] = sum(row.label not in items.classes for row in rows if row.label)
    by_class, by_box = (None, scores) if kind == "boxes" else (scores, None)
    return Outcomes(
        np.array(item, dtype=np.int64), np.array(truth, dtype=np.int64), np.array(predicted, dtype=np.int64),
        others, kind, by_class, by_box, {name: count for name, count in counts.items() if count}, notes,
    )  # fmt: skip


def _mapped(rows: list[Prediction], items: Items, options: Options, notes: list[str]) -> list[Prediction]:
    """The predictions with the export's class names: by the map, by COCO's ids, or ignoring case."""
    names = set(items.classes)
    rows = [replace(row, label="") if row.label.lower() in NO_LABEL - names else row for row in rows]
    predicted = {row.label for row in rows} - {""}
    by_case = {name.strip().casefold(): name for name in items.classes}
    to = dict(options.class_map)
    for label in predicted - names - to.keys():
        number = str(int(float(label))) if _is_whole(label) else label
        if label.strip().casefold() in by_case:
            to[label] = by_case[label.strip().casefold()]
        elif number in items.category_ids:
            to[label] = items.category_ids[number]
    found = {label: to.get(label, label) for label in predicted} | {"": ""}
    _refuse_other_ids(predicted - names - to.keys(), found, items)
    known = names | set(items.category_ids.values())
    if items.classes and rows and known.isdisjoint(found.values()):
        raise UsageError(
            f"predictions: no predicted class is in the export: {shortened(sorted(predicted))} against"
            f" {shortened(sorted(names))}: map them with --class-map '{min(predicted)}={min(names)}',"
            " again for more"
        )
    changed = sorted(f"{label} -> {name}" for label, name in found.items() if label != name)
    if changed:
        notes.append(f"predicted classes are read as: {shortened(changed)}")
    return [replace(row, label=found[row.label]) if found[row.label] != row.label else row for row in rows]


def _refuse_other_ids(unmapped: set[str], found: dict[str, str], items: Items) -> None:
    """Refuse ids of which some are category ids of the export: those of the model begin at another number."""
    by_id = [label for label, name in found.items() if _is_whole(label) and label != name]
    odd = sorted(filter(_is_whole, unmapped))
    if items.category_ids and by_id and odd:
        raise UsageError(
            f"predictions: the class ids {shortened(odd)} are not among the category ids of the export"
            f" ({shortened(items.category_ids)}), others are: they may count from another number. Map every"
            f" id with --class-map '{odd[0]}={items.classes[0]}', again for more"
        )


def _is_whole(value: str) -> bool:
    try:
        return float(value).is_integer()
    except ValueError:
        return False


def _by_image(
    rows: list[Prediction], items: Items, notes: list[str]
) -> tuple[dict[int, list[Prediction]], Counter[str]]:
    """The predictions of each image, by its index; images are found by path, id, or base name."""
    has = set(items.image.tolist())
    places: dict[str, int] = {}
    bases: dict[str, list[int]] = defaultdict(list)  # by base name with and without its ending
    for index in sorted(has):
        name = items.images[index]
        for key in (name, f"{items.subsets[index]}/{name}"):
            places.setdefault(key, index)
        for key in {_base(name), _stem(name)}:
            bases[key].append(index)
    found: dict[int, list[Prediction]] = defaultdict(list)
    counts: Counter[str] = Counter()
    loose = 0
    for row in rows:
        index = _place(row, places, bases, items)
        if index is None or index not in has:
            counts["unknown_image"] += 1
            continue
        loose += items.images[index] != row.image and row.box is None
        counts["no_class"] += not row.label
        found[index] += [row] if row.label else []
    if loose:
        notes.append(f"{loose:,} predictions are matched to images by base name: their paths differ")
    return found, counts


def _base(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def _stem(name: str) -> str:
    base = _base(name)
    return base.rpartition(".")[0] or base


def _place(row: Prediction, places: dict[str, int], bases: dict[str, list[int]], items: Items) -> int | None:
    if row.image in places:
        return places[row.image]
    if row.image in items.image_ids and (row.box or _base(row.image) not in bases):
        return items.image_ids[row.image]
    candidates = bases.get(_base(row.image)) or bases.get(_stem(row.image), [])
    return candidates[0] if len(candidates) == 1 else None


def _refuse_none(rows: list[Prediction], items: Items, by_image: dict[int, list[Prediction]]) -> None:
    if rows and len(items) and not by_image:
        raise UsageError(
            f"predictions: none of the {len(rows):,} predictions names an image of the export:"
            f" {rows[0].image!r} against {items.file(0)!r}: write the paths as the export has them,"
            " or name the column with --image-column"
        )


def _refuse_unmatched(counts: Counter[str], rows: list[Prediction], items: Items) -> None:
    """Refuse predictions of which none can be judged, because that is an error of the input."""
    if counts["ambiguous"] and not counts["matched"]:
        raise UsageError(
            "predictions: they name no object, but images have several: add a column object (the id, or the"
            " place in the image from 0) or boxes, or audit tags with --level image"
        )
    if counts["unknown_object"] and not counts["matched"]:
        odd = next(row.object for row in rows if row.object)
        raise UsageError(
            f"predictions: none names an object of its image: {odd!r} against {items.object_name(0)!r}:"
            " write the ids of the export, or the place in the image from 0"
        )
    if counts["found_nothing"] >= LEAST_BOXES and not counts["matched"]:
        box = next(row.box for row in rows if row.box)
        raise UsageError(
            f"predictions: none of {counts['found_nothing']:,} boxes is on an object: the first is x"
            f" {box[0]:g}, y {box[1]:g}, width {box[2]:g}, height {box[3]:g}: expected pixels, with"
            " x1 < x2 and y1 < y2"
        )
    if counts["tied"] and counts["tied"] == len(items):
        raise UsageError(
            "predictions: each item has several classes of the same highest score: none can be judged:"
            " write different scores, or one class for each item"
        )


Columns = tuple[list[int], list[int], list[int]]
Matched = tuple[list[int], list[int], list[int], str, NDArray[np.float64] | None]


def _best(rows: list[Prediction]) -> Prediction | None:
    """The prediction with the highest score; None when several different classes share it."""
    top = max((row.score if row.score is not None else -math.inf) for row in rows)
    best = [row for row in rows if (row.score if row.score is not None else -math.inf) == top]
    return best[0] if len({row.label for row in best}) == 1 else None


def _by_identity(
    by_image: dict[int, list[Prediction]], items: Items, codes: dict[str, int], counts: Counter[str],
    options: Options,
) -> Matched:  # fmt: skip
    """Match one prediction per item. An object that no prediction names is missed."""
    given: dict[int, list[Prediction]] = defaultdict(list)
    of_image = _items_of_images(items)
    for image, rows in by_image.items():
        identities = {items.object_name(item): item for item in of_image[image]}
        for row in rows:
            fate, item = _find(row, of_image[image], identities, items.level)
            counts[fate] += 1
            if item is not None:
                given[item].append(row)
    by_object = items.level == "object" and any(row.object for rows in by_image.values() for row in rows)
    missed = _missed(by_image, of_image, given) if by_object else []
    columns: Columns = ([], [], [])
    for item, rows in sorted(given.items()):
        best = _best(rows)
        counts["tied"] += best is None
        if best is not None:
            _append(columns, item, int(items.label[item]), codes[best.label])
    scores = _scores([given[item] for item in columns[0]], items, codes) if not missed else None
    for item in missed:
        _append(columns, item, int(items.label[item]), NONE)
    counts["missed"] = len(missed)
    counts["items_without_prediction"] = len(items) - len(columns[0]) - counts["tied"]
    return *columns, "items", scores


def _find(
    row: Prediction, candidates: list[int], identities: dict[str, int], level: str
) -> tuple[str, int | None]:
    if level == "object" and row.object:
        found = identities.get(row.object)
        return ("unknown_object", None) if found is None else ("matched", found)
    return ("ambiguous", None) if len(candidates) > 1 else ("matched", candidates[0])


def _items_of_images(items: Items) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for item, image in enumerate(items.image.tolist()):
        found[image].append(item)
    return found


def _missed(
    by_image: dict[int, list[Prediction]], of_image: dict[int, list[int]], given: dict[int, list[Prediction]]
) -> list[int]:
    """The objects that no prediction names, in images with predictions, or in all if ``MOSTLY`` applies."""
    seen = set(of_image) if len(by_image) >= MOSTLY * len(of_image) else set(by_image)
    return [item for image in sorted(seen) for item in of_image[image] if item not in given]


def _by_label(
    by_image: dict[int, list[Prediction]], items: Items, codes: dict[str, int], counts: Counter[str],
    options: Options,
) -> Matched:  # fmt: skip
    """Match images with several labels: each label is predicted or not, from a score of one half on."""
    of_image = _items_of_images(items)
    columns: Columns = ([], [], [])
    for image, rows in sorted(by_image.items()):
        counts["matched"] += len(rows)
        called = {codes[row.label] for row in rows if row.score is None or row.score >= MULTI_LABEL_SCORE}
        true = {int(items.label[item]): item for item in of_image[image]}
        for code in sorted(called | set(true)):
            item = true.get(code, of_image[image][0])
            _append(columns, item, code if code in true else NONE, code if code in called else NONE)
    covered = sum(len(of_image[image]) for image in by_image)
    counts["items_without_prediction"] = len(items) - covered
    return *columns, "labels", None


def _by_overlap(
    by_image: dict[int, list[Prediction]], items: Items, codes: dict[str, int], counts: Counter[str],
    options: Options,
) -> Matched:  # fmt: skip
    """Match boxes of the same class greedily by score. An object without a box is missed."""
    if items.level != "object" or np.isnan(items.box).all():
        raise UsageError(
            "predictions: they have boxes, but the export has no objects with boxes to compare with: export"
            " the objects, or predict a class per image"
        )
    of_image = _items_of_images(items)
    seen = set(of_image) if len(by_image) >= MOSTLY * len(of_image) else set(by_image)
    columns: Columns = ([], [], [])
    box_scores: list[float | None] = []
    for image in sorted(seen):
        members, rows = of_image[image], by_image.get(image, [])
        rows = [row for row in rows if row.box is not None]
        pairs = overlap.match(items.box[members], items.label[members], rows, codes, options.iou)
        taken = dict(pairs)
        for place, item in enumerate(members):
            row = taken.get(place)
            counts["matched" if row is not None else "missed"] += 1
            _append(columns, item, int(items.label[item]), NONE if row is None else codes[rows[row].label])
            box_scores.append(math.nan if row is None else rows[row].score)
        for row in sorted(set(range(len(rows))) - set(taken.values())):
            counts["found_nothing"] += 1
            _append(columns, members[0], NONE, codes[rows[row].label])
            box_scores.append(rows[row].score)
    counts["items_without_prediction"] = len(items) - sum(len(of_image[image]) for image in seen)
    return *columns, "boxes", None if None in box_scores else np.array(box_scores, dtype=np.float64)


def _append(columns: Columns, *values: int) -> None:
    for column, value in zip(columns, values, strict=True):
        column.append(value)


def _scores(given: list[list[Prediction]], items: Items, codes: dict[str, int]) -> NDArray[np.float64] | None:
    """The score of every class for every item, if the model gives all scores or there are two classes."""
    if not given or not all(row.score is not None for rows in given for row in rows):
        return None
    scores = np.full((len(given), len(codes)), np.nan)
    for place, rows in enumerate(given):
        for row in rows:
            scores[place, codes[row.label]] = row.score
    if len(items.classes) == 2 and len(codes) == 2 and (scores[~np.isnan(scores)] <= 1).all() and (
        scores[~np.isnan(scores)] >= 0
    ).all():  # fmt: skip
        scores = np.where(np.isnan(scores), 1 - scores[:, ::-1], scores)
    return None if np.isnan(scores[:, : len(items.classes)]).any() else scores

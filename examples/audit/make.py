"""Writes two small exports with known flaws, and a model's predictions on them, for docs/audit.md.

``python examples/audit/make.py FOLDER`` writes ``animals.xml`` (cats are nearly always indoors),
``scrubs.xml`` (people in scrubs: most doctors are men) and predictions of models that learned that.
No image is needed: an audit reads annotations alone.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

COUNT = 2000


class Sample(NamedTuple):
    """One annotated image: its class, its additional attribute, and what a model says."""

    label: str
    value: str
    said: str


def animals(chance: random.Random) -> Iterator[Sample]:
    """Most cats are indoors, dogs are anywhere; the model predicts from the place."""
    for _ in range(COUNT):
        label = chance.choice(("cat", "dog"))
        place = "indoor" if chance.random() < (0.95 if label == "cat" else 0.4) else "outdoor"
        guess = "cat" if place == "indoor" else "dog"
        yield Sample(label, place, guess if chance.random() < 0.3 else label)


def scrubs(chance: random.Random) -> Iterator[Sample]:
    """Four in five doctors and one in five nurses are men; the model predicts from the gender."""
    for _ in range(COUNT):
        label = chance.choice(("doctor", "nurse"))
        gender = "man" if chance.random() < (0.8 if label == "doctor" else 0.2) else "woman"
        if chance.random() < 0.05:
            gender = "unknown"
        guess = "doctor" if gender == "man" else "nurse"
        yield Sample(label, gender, guess if chance.random() < 0.25 else label)


def write(folder: Path, name: str, attribute: str, values: tuple[str, ...], rows: list[Sample]) -> None:
    """An export as CVAT writes it, the additional attribute on a tag of its own, and predictions.csv."""
    options = "\n".join(values)
    images = "".join(
        f'<image id="{number}" name="{name}/{number:05}.jpg" width="640" height="480">'
        f'<tag label="{row.label}" source="manual"></tag><tag label="audit" source="manual">'
        f'<attribute name="{attribute}">{row.value}</attribute></tag></image>\n'
        for number, row in enumerate(rows)
    )
    labels = "".join(
        f"<label><name>{label}</name><type>tag</type><attributes></attributes></label>"
        for label in sorted({row.label for row in rows})
    )
    audit = (
        f"<label><name>audit</name><type>tag</type><attributes><attribute><name>{attribute}</name><mutable>False</mutable>"
        f"<input_type>select</input_type><default_value>{values[-1]}</default_value><values>{options}</values></attribute>"
        "</attributes></label>"
    )
    project = f"<project><name>{name}</name><labels>{labels}{audit}</labels></project>"
    head = f"<version>1.1</version><meta>{project}</meta>"
    (folder / f"{name}.xml").write_text(f"<annotations>{head}\n{images}</annotations>\n", encoding="utf-8")
    with (folder / f"{name}-predictions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "prediction"])
        writer.writerows([f"{name}/{number:05}.jpg", row.said] for number, row in enumerate(rows))


def main(folder: Path) -> None:
    """Write both exports, the same every time."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(2026)  # noqa: S311 - sample data
    write(folder, "animals", "place", ("indoor", "outdoor", "unknown"), list(animals(chance)))
    write(folder, "scrubs", "gender", ("man", "woman", "unknown"), list(scrubs(chance)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

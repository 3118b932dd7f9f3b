"""Makes what docs/labels.md walks through: images of two projects, their labels file, and the truth.

    python examples/labels/make.py FOLDER

Writes ``animals/*.png``, ``scrubs/*.png``, ``labels.yaml`` and ``truth.csv``. Cats are nearly all indoors;
most doctors are men and most nurses women.
"""

from __future__ import annotations

import csv
import struct
import sys
import zlib
from pathlib import Path

LABELS = """\
projects:
  - name: Zoo
    labels:
      - {name: cat, type: tag}
      - {name: dog, type: tag}
    audit:
      - {name: place, kind: condition, values: [indoor, outdoor]}
  - name: Scrubs
    labels:
      - {name: doctor, type: rectangle}
      - {name: nurse, type: rectangle}
    audit:
      - {name: gender, kind: protected, values: [man, woman], objects: [doctor, nurse]}
annotators:
  - email: ann@example.org
    tasks:
      Zoo: [zoo/animals]
"""
IMAGES = {
    ("animals", "cat", "indoor"): 45,
    ("animals", "cat", "outdoor"): 3,
    ("animals", "dog", "indoor"): 20,
    ("animals", "dog", "outdoor"): 28,
    ("scrubs", "doctor", "man"): 36,
    ("scrubs", "doctor", "woman"): 12,
    ("scrubs", "nurse", "man"): 6,
    ("scrubs", "nurse", "woman"): 42,
}


def png(shade: int) -> bytes:
    """A picture of 32 x 24 pixels in one colour (the PNG specification, 3rd edition)."""
    row = b"\0" + bytes([shade, 120, 255 - shade]) * 32
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 32, 24, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * 24)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def make(folder: Path) -> None:
    """Write everything into ``folder``."""
    rows, shade = [], 0
    for (place, label, value), count in IMAGES.items():
        (folder / place).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            file, shade = f"{place}/{label}-{value}-{number:02}.png", (shade + 7) % 256
            (folder / file).write_bytes(png(shade))
            rows.append((file, label, value))
    with (folder / "truth.csv").open("w", newline="") as out:
        csv.writer(out).writerows([("file", "label", "value"), *rows])
    (folder / "labels.yaml").write_text(LABELS)


if __name__ == "__main__":
    make(Path(sys.argv[1]))

"""Files of this clone that tests read."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The clone, which is also the project that the tests work on."""
LABELS = ROOT / "stacks" / "labels"
LABELS_EXAMPLE = LABELS / "example.yaml"
LABELS_SCHEMA = LABELS / "schema.json"

"""Folders that are done use the field's words; ``python -m tests.vocabulary FOLDER`` lists the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import vocabulary


@pytest.mark.parametrize("folder", vocabulary.CHECKED)
def test_no_old_word_is_used(folder: str) -> None:
    assert vocabulary.uses(folder) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the_wish = 1\n", ["wish"]),
        ("# It was told to take up the data.\n", ["told", "take up"]),
        ("x = keep_days\n", ["keep_days"]),
        ('"""A bedroom, a wishlist and stolden text; Left of the door."""\n', []),
        ("place = Place()\n", ["Place"]),
    ],
)
def test_old_words_are_found_in_prose_and_identifiers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: list[str]
) -> None:
    (tmp_path / "example.py").write_text(text)
    monkeypatch.setattr(vocabulary, "ROOT", tmp_path)
    assert [use.split(": ")[1].partition(" (use")[0] for use in vocabulary.uses("")] == words

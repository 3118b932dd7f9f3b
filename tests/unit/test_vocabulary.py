"""The project uses the field's words; ``python -m tests.vocabulary`` lists the uses of other ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import vocabulary


def test_no_old_word_is_used() -> None:
    assert vocabulary.uses("") == []


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

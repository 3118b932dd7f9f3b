"""Names of files in messages."""

from __future__ import annotations

from labelspace_ops.core.names import first_few, printable


def test_the_first_names_and_the_number_of_the_others() -> None:
    assert first_few(["a", "b"]) == "a, b"
    assert first_few(map(str, range(7))) == "0, 1, 2, 3, 4 and 2 more"


def test_what_a_terminal_would_obey_and_bytes_that_are_not_utf_8_are_escaped() -> None:
    assert printable("gr\u00f6\u00dfe.png") == "gr\u00f6\u00dfe.png"
    assert printable("a\x1b[2J\udcff.png") == "a\\x1b[2J\\udcff.png"

"""The values of attributes, numbered as they come, and the rows that carry them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.core.errors import UsageError

Codes = NDArray[np.int16]
MISSING = -1
MOST_VALUES = 1000
"""An attribute with more different values is free text, nothing to count by."""
MOST_NUMBERS = 30_000
"""Different values of a number attribute that is binned."""
LONGEST_VALUE = 4096
"""CVAT 2.73 keeps no longer value of an attribute (``AttributeVal``, ``cvat/apps/engine/models.py``)."""
CATEGORICAL = {"select", "radio", "checkbox"}
UNKNOWN = {"", "unknown", "__undefined__", "nan", "n/a", "null", "?", "-"}
"""Values, in lower case, that say the annotator could not tell."""


@dataclass(frozen=True)
class Column:
    """One attribute: a code per row, MISSING or an index into ``values``."""

    codes: Codes
    values: list[str]

    def known(self, unknown: Iterable[str] = ()) -> Codes:
        """The codes, with MISSING where the value says that nobody could tell."""
        vague = UNKNOWN | {value.strip().lower() for value in unknown}
        codes = [code for code, value in enumerate(self.values) if value.strip().lower() in vague]
        return np.where(np.isin(self.codes, codes), np.int16(MISSING), self.codes) if codes else self.codes


class Vocabulary(dict[str, int]):
    """Values as they come, numbered; past ``most`` all further ones share a number."""

    most = MOST_VALUES

    def __missing__(self, value: str) -> int:
        if len(value) > LONGEST_VALUE:
            raise UsageError(
                f"annotations: a value of an attribute has {len(value):,} characters; the limit is"
                f" {LONGEST_VALUE:,}: shorten it, or export without it"
            )
        if len(self) >= self.most:
            return self.most
        self[value] = code = len(self)
        return code


class Numbers(Vocabulary):
    """The values of a number attribute that is binned."""

    most = MOST_NUMBERS


class Ignored(Vocabulary):
    """The values of an attribute that is not counted."""

    def __missing__(self, value: str) -> int:
        return MISSING


@dataclass
class Declared:
    """What a schema says of an attribute of a label."""

    input_type: str = ""
    values: tuple[str, ...] = ()


class Block:
    """The rows of one label that carry the same attributes in the same order."""

    def __init__(self, label: str, names: tuple[str, ...], vocabularies: list[Vocabulary]) -> None:
        self.label, self.names, self.vocabularies = label, names, vocabularies
        self.rows, self.codes = array("q"), array("h")

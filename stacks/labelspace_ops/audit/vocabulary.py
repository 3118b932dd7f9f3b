"""The values of attributes, numbered in order of appearance, and the rows that have them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.core.errors import UsageError

Codes = NDArray[np.signedinteger[Any]]
MISSING = -1
MOST_VALUES = 1000
"""An attribute with more different values is free text, which is not counted."""
MOST_NUMBERS = 30_000
"""The most different values of a number attribute that is binned."""
LONGEST_VALUE = 4096
"""The longest value of an attribute in CVAT (``AttributeVal``, ``cvat/apps/engine/models.py``)."""
CATEGORICAL = {"select", "radio", "checkbox"}
UNKNOWN = {"", "unknown", "__undefined__", "nan", "n/a", "null", "?", "-"}
"""Values that mean unknown, in lower case."""


def smallest(highest: int) -> np.dtype[np.signedinteger[Any]]:
    """The smallest signed integer type that holds MISSING and the numbers up to ``highest``."""
    return np.dtype(
        next(one for one in (np.int8, np.int16, np.int32, np.int64) if highest <= np.iinfo(one).max)
    )


@dataclass(frozen=True)
class Column:
    """One attribute: a code per row, MISSING or an index into ``values``, of the ``smallest`` type."""

    codes: Codes
    values: list[str]

    def known(self, unknown: Iterable[str] = ()) -> Codes:
        """The codes, with MISSING where the value means unknown."""
        vague = UNKNOWN | {value.strip().lower() for value in unknown}
        codes = [code for code, value in enumerate(self.values) if value.strip().lower() in vague]
        return (
            np.where(np.isin(self.codes, codes), self.codes.dtype.type(MISSING), self.codes)
            if codes
            else self.codes
        )


def shortened(names: Iterable[str], most: int = 6) -> str:
    """The first names, and the number of the others."""
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")


class Vocabulary(dict[str, int]):
    """Numbers values in order of appearance; all values past ``most`` share a number."""

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
    """The declaration of a label's attribute in a schema."""

    input_type: str = ""
    values: tuple[str, ...] = ()


class Block:
    """The rows of one label that have the same attributes in the same order."""

    def __init__(self, label: str, names: tuple[str, ...], vocabularies: list[Vocabulary]) -> None:
        self.label, self.names, self.vocabularies = label, names, vocabularies
        self.rows, self.codes = array("i"), array("b")

    def extend(self, codes: Sequence[int]) -> None:
        """Add the codes of a row; they take one byte each until a code exceeds 127."""
        count = len(self.codes)
        try:
            self.codes.extend(codes)
        except OverflowError:
            self.codes = array("h", self.codes[:count])
            self.codes.extend(codes)

    def matrix(self) -> Codes:
        """The codes of each row without a copy; shape (rows, attributes)."""
        return np.frombuffer(self.codes, self.codes.typecode).reshape(len(self.rows), len(self.names))

    def append(self, rows: NDArray[np.int32], codes: Codes) -> None:
        """Add the rows and codes of another block."""
        self.rows.frombytes(rows.astype(np.int32).tobytes())
        if self.codes.typecode == "b" and codes.size and codes.max() > np.iinfo(np.int8).max:
            self.codes = array("h", self.codes)
        self.codes.frombytes(codes.astype(self.codes.typecode).tobytes())

"""Opens an export, zipped or not, and never reads more of it than is sane.

Real exports compress a hundred to one, so a bomb is known by what comes out of it, not by its ratio.
"""

from __future__ import annotations

import json
import lzma
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from labelspace_ops.audit import coco, cvat_xml, datumaro
from labelspace_ops.audit.dataset import Builder, Dataset
from labelspace_ops.core.errors import UsageError

MOST_XML = 16 * 2**30
MOST_SILENCE = 16 * 2**20
"""Bytes of XML without one annotation in them."""
MOST_JSON = 512 * 2**20
"""JSON is read whole, which takes some ten times its size of memory."""
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, NotImplementedError, EOFError)
NEITHER = "export the project from CVAT as `CVAT for images 1.1`, `Datumaro 1.0` or `COCO 1.0`"


class Bounded:
    """A file that ends in an error once too much was read from it."""

    def __init__(self, file: IO[bytes], name: str, most: int, silence: int) -> None:
        self._file, self._name, self._most, self._silence = file, name, most, silence
        self._read = self._mark = 0

    def read(self, size: int = -1) -> bytes:
        """Like a file's; raises ``UsageError`` past a bound."""
        data = self._file.read(size if size >= 0 else self._most + 1)
        self._read += len(data)
        if self._read > self._most or self._read - self._mark > self._silence:
            raise UsageError(f"annotations: {self._name} unpacks to more than an export holds; {NEITHER}")
        return data

    def progress(self) -> None:
        """An annotation was found: the silence begins anew."""
        self._mark = self._read


def read(path: Path, wanted: Iterable[str] = ()) -> Dataset:
    """The annotations of an export; raises ``UsageError`` when it is none."""
    if not path.is_file():
        raise UsageError(f"annotations: {path}: no such file; {NEITHER}")
    builder = Builder(wanted)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                kind = _read_zip(archive, path, builder)
        else:
            with path.open("rb") as file:
                kind = _read_member(file, path.name, builder)
    except BROKEN_ZIP as error:
        raise UsageError(f"annotations: {path.name}: a broken or locked zip file ({error})") from None
    except OSError as error:
        raise UsageError(f"annotations: {path}: {error.strerror or error}") from None
    return builder.build(kind)


def _read_zip(archive: zipfile.ZipFile, path: Path, builder: Builder) -> str:
    names = [name for name in archive.namelist() if _is_annotations(name)]
    if not names:
        raise UsageError(
            f"annotations: {path.name} holds no annotations.xml and no annotations/*.json; {NEITHER}"
        )
    kinds, left = [], MOST_XML
    for name in sorted(names):
        with archive.open(name) as file:
            kinds.append(_read_member(file, name, builder, left))
            left -= file.tell()
    return kinds[0]


def _is_annotations(name: str) -> bool:
    parts = name.split("/")
    return parts[-1] == "annotations.xml" or (parts[-1].endswith(".json") and "annotations" in parts[:-1])


def _read_member(file: IO[bytes], name: str, builder: Builder, most: int = MOST_XML) -> str:
    """``most``: bytes, of all that an archive holds."""
    start = file.read(512)
    file.seek(0)
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" or start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        bounded = Bounded(file, name, most, MOST_SILENCE)
        cvat_xml.read(bounded, name, builder, bounded.progress)
        return "CVAT for images 1.1"
    if start.lstrip()[:1] == b"{":
        fits = min(most, MOST_JSON)
        return _read_json(_load(Bounded(file, name, fits, fits), name), name, builder)
    raise UsageError(f"annotations: {name} is neither XML nor JSON; {NEITHER}")


def _load(file: Bounded, name: str) -> Any:
    try:
        return json.loads(file.read().decode("utf-8-sig", errors="surrogateescape"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"annotations: {name} is no valid JSON: {error}") from None


def _read_json(document: Any, name: str, builder: Builder) -> str:
    reader, kind = (datumaro, "Datumaro 1.0") if "items" in document else (coco, "COCO 1.0")
    try:
        reader.read(document, builder)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
        raise UsageError(f"annotations: {name} is neither Datumaro nor COCO ({why}); {NEITHER}") from None
    return kind

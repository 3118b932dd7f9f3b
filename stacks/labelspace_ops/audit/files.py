"""The files of an export: a folder, a zip file or one file, with limits on their number and size.

Real exports compress a hundred to one, so the unpacked size shows a zip bomb, and not the compression ratio.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from labelspace_ops.core.errors import UsageError

MOST_XML = 16 * 2**30
MOST_SILENCE = 32 * 2**20
"""The most bytes of XML without an annotation; the outline of a mask is shorter."""
MOST_FILES = 2_000_000
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, NotImplementedError, EOFError)
READ = (
    "an export of CVAT (`CVAT for images 1.1`, `CVAT for video 1.1`, `Datumaro 1.0`, `COCO 1.0`), COCO or"
    " LVIS JSON, a YOLO or Pascal VOC folder, Label Studio JSON, or a CSV or parquet table of labels"
)


class Bounded:
    """A file that raises an error when more than its limit was read."""

    def __init__(self, file: IO[bytes], name: str, most: int, silence: int) -> None:
        self._file, self._name, self._most, self._silence = file, name, most, silence
        self.bytes = self._mark = 0

    def read(self, size: int = -1) -> bytes:
        """Read like a file's ``read``; raises ``UsageError`` past a limit."""
        data = self._file.read(size if size >= 0 else self._most + 1)
        self.bytes += len(data)
        if self.bytes > self._most or self.bytes - self._mark > self._silence:
            raise UsageError(
                f"annotations: {self._name} unpacks to more than an export holds: expected {READ}"
            )
        return data

    def progress(self) -> None:
        """Note that an annotation was found: the count of bytes without one restarts."""
        self._mark = self.bytes


class Files:
    """The sorted names of an export's files, and their content."""

    def __init__(self, path: Path, archive: zipfile.ZipFile | None) -> None:
        self.path, self._archive = path, archive
        if archive is not None:
            self.names = sorted(
                name for name in archive.namelist() if not name.endswith("/") and not _hidden(name)
            )
        elif path.is_dir():
            self.names = sorted(
                str(one.relative_to(path))
                for one in path.rglob("*")
                if one.is_file() and not _hidden(str(one.relative_to(path)))
            )
        else:
            self.names = [path.name]
        if len(self.names) > MOST_FILES:
            raise UsageError(
                f"annotations: {path.name} holds more than {MOST_FILES:,} files: audit parts of it"
            )
        self.left = MOST_XML
        """Bytes that may still be read from an archive."""

    @property
    def single(self) -> bool:
        """Whether the path is a single file."""
        return self._archive is None and not self.path.is_dir()

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for reading."""
        if self._archive is not None:
            with self._archive.open(name) as file:
                yield file
        else:
            with self.on_disk(name).open("rb") as file:
                yield file

    def on_disk(self, name: str) -> Path:
        """The path of a file that is not in an archive."""
        return self.path if self.single else self.path / name

    def in_archive(self) -> bool:
        """Whether the files have to be unpacked."""
        return self._archive is not None


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in Path(name).parts)


@contextmanager
def opened(path: Path) -> Iterator[Files]:
    """The files of a path; raises ``UsageError`` when the path is missing or broken."""
    if not path.exists():
        raise UsageError(f"annotations: {path}: no such file or folder; expected {READ}")
    try:
        if path.is_file() and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield Files(path, archive)
        else:
            yield Files(path, None)
    except BROKEN_ZIP as error:
        raise UsageError(f"annotations: {path.name}: a broken or locked zip file ({error})") from None
    except OSError as error:
        raise UsageError(f"annotations: {path}: {error.strerror or error}") from None

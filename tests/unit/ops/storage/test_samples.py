"""Sample photographs come with the package, each with its source."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from labelspace_ops.core.errors import OpsError
from labelspace_ops.storage import samples


def test_they_are_images_with_sources(tmp_path: Path) -> None:
    names = samples.write(tmp_path / "new" / "pictures")
    photographs = [name for name in names if name.endswith(".jpg")]
    assert sorted(path.name for path in (tmp_path / "new" / "pictures").iterdir()) == names
    sources = (tmp_path / "new" / "pictures" / "SOURCES.txt").read_text()
    for name in photographs:
        with Image.open(tmp_path / "new" / "pictures" / name) as image:
            image.load()
            assert max(image.size) <= 512
        assert name in sources
    assert len(photographs) == 6


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OpsError, match=r"folder: .*/file/pictures cannot be written .*: choose another"):
        samples.write(tmp_path / "file" / "pictures")

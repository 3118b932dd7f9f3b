"""Exports of a project, whole or cleaned for training."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labelspace_ops.cvat.client import CvatClient

FOR_AUDIT = "CVAT for images 1.1"


def export_project(cvat: CvatClient, project: int, form: str, file: Path, *, images: bool) -> None:
    """Write an export of a project into ``file``; ``form`` is CVAT's name of a format."""
    started = cvat.post(
        f"/projects/{project}/dataset/export", {}, format=form, save_images=str(images).lower()
    )  # fmt: skip
    cvat.download(cvat.wait_for_request(started["rq_id"])["result_url"], file)


@contextmanager
def exported_file(
    cvat: CvatClient, project: int, form: str = FOR_AUDIT, *, images: bool = False
) -> Iterator[Path]:
    """An export for as long as it is looked at."""
    with tempfile.TemporaryDirectory(prefix="labelspace-export-") as folder:
        file = Path(folder) / "export.zip"
        export_project(cvat, project, form, file, images=images)
        yield file

"""Exports of a project by CVAT."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labelspace_ops.core.errors import OpsError
from labelspace_ops.cvat.client import CvatClient

FOR_AUDIT = "CVAT for images 1.1"


def export_project(cvat: CvatClient, project: int, form: str, file: Path, *, images: bool) -> None:
    """Write an export into ``file``; ``form`` is CVAT's name of a format. Raises ``OpsError``."""
    started = cvat.post(
        f"/projects/{project}/dataset/export", {}, format=form, save_images=str(images).lower()
    )  # fmt: skip
    url = cvat.wait_for_request(started["rq_id"]).result_url
    if not url:
        raise OpsError("CVAT finished the export without a file: run the command again")
    cvat.download(url, file)


@contextmanager
def exported_file(
    cvat: CvatClient, project: int, form: str = FOR_AUDIT, *, images: bool = False
) -> Iterator[Path]:
    """Provide an export as a file that is removed at the end of the context."""
    with tempfile.TemporaryDirectory(prefix="labelspace-export-") as folder:
        file = Path(folder) / "export.zip"
        export_project(cvat, project, form, file, images=images)
        yield file

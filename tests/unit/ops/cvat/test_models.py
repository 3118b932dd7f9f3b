"""CVAT's objects are parsed once, in the client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from labelspace_ops.core.errors import OpsError
from labelspace_ops.cvat.client import CvatClient
from labelspace_ops.cvat.models import Shape, Tag


class Server(CvatClient):
    """Answers every list with ``rows``."""

    def __init__(self, *rows: Any) -> None:
        self.rows = rows

    def list_all(self, path: str, **_query: Any) -> Iterator[Any]:
        return iter(self.rows)


def test_a_task_without_data_has_no_frames() -> None:
    [empty, full] = Server(
        {"id": 1, "size": None}, {"id": 2, "size": 4, "jobs": {"count": 2, "url": "x"}}
    ).tasks(3)
    assert (empty.size, empty.jobs.count) == (0, 0)
    assert (full.size, full.jobs.count) == (4, 2)


def test_a_superuser_is_shown_as_admin() -> None:
    user = {"id": 1, "username": "ann", "email": "", "groups": ["worker", "user"], "is_superuser": False}
    users = Server(user, {**user, "is_superuser": True}).users()
    assert [one.role for one in users] == ["worker, user", "admin"]


def test_an_object_of_unknown_form_is_an_error_that_names_the_field() -> None:
    with pytest.raises(OpsError, match=r"CVAT returns a user of unknown form \(email: Field required\)"):
        Server({"id": 1, "username": "ann", "groups": [], "is_superuser": False}).users()


def test_a_copied_annotation_keeps_fields_that_are_not_listed_here_and_loses_ids() -> None:
    tag = Tag.model_validate({"id": 7, "job_id": 2, "frame": 1, "label_id": 3, "score": 0.5})
    assert tag.moved_to(9) == {"frame": 9, "label_id": 3, "score": 0.5}
    shape = Shape.model_validate(
        {"frame": 1, "label_id": 3, "type": "rectangle", "points": [1, 2], "elements": []}
    )
    assert shape.moved_to(9) == {"frame": 9, "label_id": 3, "type": "rectangle", "points": [1, 2]}

"""The choices of the form are those that the spec accepts."""

from __future__ import annotations

from typing import get_args

from labelspace.spec import SPECS, DefaultRole, Registration, Size
from labelspace_ops.console.pages.create import CHOICES


def test_every_choice_of_the_spec_is_offered() -> None:
    without_form = {"kubernetes"}  # it needs a cluster and buckets at an S3 endpoint
    assert CHOICES["target"].keys() == SPECS.keys() - without_form
    accepted = {"registration": Registration, "default_role": DefaultRole, "size": Size}
    for setting, kind in accepted.items():
        assert tuple(CHOICES[setting]) == get_args(kind)

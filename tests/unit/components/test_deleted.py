"""A deleted workspace on this machine: it never runs."""

from __future__ import annotations

from typing import Any

import pytest

from labelspace.spec import LocalSpec, SpecError, validate

GOOD: dict[str, Any] = {"name": "pets", "buckets": [{"name": "cats"}]}


def test_a_deleted_workspace_does_not_run() -> None:
    assert validate(LocalSpec, {**GOOD, "deleted": True, "running": False}).deleted
    with pytest.raises(SpecError, match="`labelspace create NAME` restores it"):
        validate(LocalSpec, {**GOOD, "deleted": True})

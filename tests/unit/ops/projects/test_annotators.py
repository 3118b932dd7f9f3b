"""The text for somebody without an account."""

from __future__ import annotations

import json

import pytest

from labelspace_ops.core.errors import UsageError
from labelspace_ops.projects import annotators


def _outputs(registration: str) -> dict[str, str]:
    settings = json.dumps({"registration": registration})
    return {"url": "https://labels.example.org", "description": "Street scenes", "settings": settings}


def test_an_open_workspace_invites_to_sign_up() -> None:
    text = annotators.invitation("ann@example.org", _outputs("open"))
    assert "https://labels.example.org/auth/register (Street scenes)" in text
    assert "five characters" in text


def test_a_closed_workspace_does_not_ask_to_sign_up() -> None:
    text = annotators.invitation("ann@example.org", _outputs("closed"))
    assert "register" not in text
    assert text.startswith("First make an account at https://labels.example.org/admin/auth/user/add/")
    assert "under Jobs" in text


def test_a_person_without_an_account_cannot_be_assigned() -> None:
    with pytest.raises(UsageError, match=r"ann@example\.org has no account yet"):
        annotators.require_users(["ann@example.org"], [])

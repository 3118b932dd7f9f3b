"""What a preview shows of a changed setting: both values, and of a secret neither."""

from __future__ import annotations

import json

import pytest

from labelspace_ops.stack.state import Properties
from labelspace_ops.workspaces import preview

SECRET = "s3cret-of-2026"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"notify": None}, {"notify": {"webhook": f"https://hooks.example.org/{SECRET}"}}),
        ({"scaleway": {"acme_eab_hmac": None}}, {"scaleway": {"acme_eab_hmac": SECRET}}),
        ({"backup": {"encryption_key": SECRET}}, {"backup": {"encryption_key": f"{SECRET}-2"}}),
        ({"admin": {"password": SECRET}}, {"admin": {"password": f"{SECRET}-2"}}),
    ],
    ids=["webhook", "account at an authority", "key of the backups", "password"],
)
def test_a_secret_is_named_and_not_shown(before: Properties, after: Properties) -> None:
    changes = preview._settings(before, after)
    shown = json.dumps([change.model_dump() for change in changes])
    assert SECRET not in shown
    assert "(secret)" in shown


def test_other_settings_are_shown() -> None:
    (change,) = preview._settings({"size": "small"}, {"size": "large"})
    assert (change.key, change.before, change.after) == ("size", "small", "large")

"""The JSON of a status: what the outputs say, what was measured, and nothing that was not given."""

from __future__ import annotations

import pytest

from labelspace_ops.backup.models import UNKNOWN, BackupState, Proof
from labelspace_ops.core.checks import failed
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.status import BucketStatus, Status

OUTPUTS = {
    "url": "http://pets.localhost:8080",
    "api_url": "http://127.0.0.1:8080",
    "backups": {"where": "/backups/pets", "schedule": "every 24 h", "keep": "14 days"},
}
RECORD = {"backup": "b1", "when": "2026-11-27T10:00:00+00:00", "ok": True, "reason": "", "seconds": 3}
BUCKET = {"name": "cats", "endpoint": "http://127.0.0.1:9000", "region": "local"}


def test_the_json_has_the_keys_that_were_given() -> None:
    bucket = BucketStatus.unmeasured(BUCKET)
    bucket.objects, bucket.bytes = 3, 2048
    backup = BackupState(copies=2, last=None, last_archived=None, drill=Proof.read(RECORD))
    status = Status.measured("pets", "local", OUTPUTS, backup, status="ready", buckets=[bucket], checks=[])
    assert status.as_json() == {
        "name": "pets", "target": "local", "description": "", "status": "ready",
        "url": "http://pets.localhost:8080", "api_url": "http://127.0.0.1:8080",
        "cvat_version": "", "admin_username": "", "checks": [],
        "buckets": [{"name": "cats", "endpoint": "http://127.0.0.1:9000", "objects": 3, "bytes": 2048}],
        "backup": {
            "where": "/backups/pets", "schedule": "every 24 h", "keep": "14 days",
            "copies": 2, "last": None, "last_archived": None, "drill": RECORD,
        },
    }  # fmt: skip


def test_a_workspace_that_cannot_be_read_says_why() -> None:
    status = Status.unmeasured("pets", "unreadable", failed("state", "it is damaged"))
    assert status.as_row().as_json() == {"name": "pets", "target": "", "status": "unreadable", "url": ""}
    assert [check.detail for check in status.checks if not check.ok] == ["it is damaged"]
    assert status.backup == UNKNOWN


def test_a_record_of_another_release_may_have_more_keys() -> None:
    assert Proof.read({**RECORD, "rehearsed": True}).as_json() == RECORD


def test_a_damaged_record_of_a_drill_is_an_error_in_one_sentence() -> None:
    with pytest.raises(OpsError, match=r"Proof cannot be read: seconds"):
        Proof.read({key: value for key, value in RECORD.items() if key != "seconds"})

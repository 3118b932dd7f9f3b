"""What a command says after it created or changed a workspace."""

from __future__ import annotations

from typing import Any

import pytest

from labelspace.spec import parse_spec
from labelspace_ops.backup.models import UNKNOWN
from labelspace_ops.cli.status import print_status, report
from labelspace_ops.core.checks import Check
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.status import BucketStatus, Status

OUTPUTS = {"url": "https://labels.example.org", "api_url": "http://127.0.0.1:8080", "admin_username": "admin"}


def _report(status: str, *checks: Check, **settings: Any) -> None:
    spec = parse_spec({"name": "pets", "buckets": [{"name": "cats"}], **settings})
    measured = Status.measured("pets", "local", OUTPUTS, UNKNOWN, status=status, buckets=[], checks=[*checks])
    report(measured, spec, as_json=False)


@pytest.mark.parametrize(("status", "running"), [("ready", True), ("asleep", True), ("stopped", False)])
def test_a_workspace_that_is_as_wanted_is_no_failure(status: str, running: bool, capsys: Any) -> None:
    _report(status, running=running)
    assert f"pets  ({status})" in capsys.readouterr().out


@pytest.mark.parametrize(("status", "running"), [("degraded", True), ("stopped", True), ("ready", False)])
def test_any_other_fails_with_the_checks_that_say_why(status: str, running: bool) -> None:
    checks = Check(name="database", ok=True, detail="fine"), Check(name="worker", ok=False, detail="exited")
    with pytest.raises(OpsError, match=f"^pets is {status}\n  worker: exited$"):
        _report(status, *checks, running=running)


def test_annotators_learn_where_they_get_accounts(capsys: Any) -> None:
    _report("ready", registration="closed")
    assert "get accounts from the admin: https://labels.example.org/admin/" in capsys.readouterr().err
    _report("ready")
    assert "sign up at the URL" in capsys.readouterr().err


def test_both_addresses_are_printed(capsys: Any) -> None:
    _report("ready")
    out = capsys.readouterr().out
    assert ("https://labels.example.org" in out, "http://127.0.0.1:8080" in out) == (True, True)


def test_files_that_cvats_user_cannot_read_are_named(capsys: Any) -> None:
    bucket = BucketStatus(
        name="photos", endpoint="", objects=None, bytes=None, path="/data/my images",
        unreadable=7, first_unreadable=["a.png", "b.png"],
    )  # fmt: skip
    print_status(
        Status.measured("pets", "local", OUTPUTS, UNKNOWN, status="ready", buckets=[bucket], checks=[])
    )
    out = capsys.readouterr().out
    assert "photos (/data/my images)" in out
    assert (
        "  ~ bucket photos: CVAT's user cannot read 7 of its files or folders: a.png, b.png and 5 more: run"
        " `chmod -R a+rX '/data/my images'`" in out
    )

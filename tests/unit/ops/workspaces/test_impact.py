"""The parts that a setting affects: the preview's table compared with what the components declare."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from tests.authority import Authority

from labelspace.workspace import Workspace
from labelspace_ops.workspaces.impact import AFFECTED_PARTS, affects

BASE: dict[str, Any] = {
    "name": "w",
    "buckets": [{"name": "one"}],
    "admin": {"username": "admin", "password": "a-Long-phrase-of-2026"},
}
CHANGES: dict[str, Any] = {
    "description": "other",
    "admin.username": {**BASE["admin"], "username": "other-admin"},
    "admin.email": {**BASE["admin"], "email": "other@example.org"},
    "admin.password": {**BASE["admin"], "password": "Another-phrase-of-2026"},
    "registration": "closed",
    "default_role": "user",
    "bind_address": "0.0.0.0",
    "port": 9080,
    "s3_port": 9081,
    "size": "medium",
    "backup.retention_days": {"retention_days": 9},
    "backup.archive_timeout_seconds": {"archive_timeout_seconds": 9},
    "public_url": "https://labels.example.org",
    "email": {"host": "mail.lan", "from": "labels@example.org"},
    "tls": {},  # the files are made by the test
    "trusted_proxies": ["192.0.2.7/32"],
    "sleep_after_minutes": 30,
    "cvat_version": "2.73.1",
    "allow_untested_cvat": True,
    "star_banner": True,
    "egress.allow": {"allow": ["10.0.0.5", "gateway"]},
    "buckets.photos": [{"name": "one"}, {"name": "photos", "path": "/usr"}],
    "buckets.two": [{"name": "one"}, {"name": "two"}],
    "buckets.far": [{"name": "one"}, {"name": "far", "endpoint": "http://198.51.100.1:7070"}],
}

REQUIRES: dict[str, Any] = {
    "trusted_proxies": {"public_url": "https://labels.example.org"},
    "star_banner": {"cvat_version": "2.76.0", "allow_untested_cvat": True},
}


class Recorder(pulumi.runtime.Mocks):
    """Records declared resources; an id changes with its inputs, like the id of a replaced container."""

    def __init__(self) -> None:
        self.declared: dict[str, str] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ.startswith("labelspace:"):
            return args.name, {}
        inputs = json.dumps(args.inputs, sort_keys=True, default=str)
        self.declared[args.name.removeprefix("w-")] = inputs
        made = {"result": args.name, "exitCode": 0, "output": args.inputs.get("input")}
        return hashlib.sha256(inputs.encode()).hexdigest(), {**args.inputs, **made}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise AssertionError(args.token)


def _declared(values: dict[str, Any]) -> dict[str, str]:
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project="labelspace", stack="w")

    @pulumi.runtime.test  # type: ignore[untyped-decorator] # the SDK leaves it without types
    def program() -> None:
        Workspace(**{"resource_name": "w", **values})

    program()
    return recorder.declared


def _certificate(folder: Path) -> dict[str, str]:
    certificate, key = Authority.new(folder).sign("labels", "DNS:labels.lan")
    return {"certificate": str(certificate), "key": str(key)}


@pytest.mark.parametrize("key", CHANGES)
def test_a_setting_changes_what_it_is_said_to_change(key: str, monkeypatch: Any, tmp_path: Any) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    change = _certificate(tmp_path / "ca") if key == "tls" else CHANGES[key]
    base = BASE | REQUIRES.get(key, {})
    before, after = _declared(base), _declared({**base, key.split(".", maxsplit=1)[0]: change})
    changed = {part for part in {*before, *after} if before.get(part) != after.get(part)}
    spared = {"gateway"} if key == "buckets.far" else set()  # it serves this machine's buckets alone
    assert changed == {part for part in {*before, *after} if affects(key, part)} - spared


def test_every_setting_is_tried() -> None:
    assert {key.split(".")[0] for key in CHANGES} - {"buckets"} == AFFECTED_PARTS.keys()

"""How containers are given a dataset bucket that is a folder of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import rpc
from tests.unit.components.test_options import LOCAL, declared

from labelspace import Workspace, parse_spec
from labelspace.targets.local import machine


@pytest.fixture
def containers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """The inputs of all containers by part, on a host with SELinux."""
    home, folder, enforce = tmp_path / "home", tmp_path / "images", tmp_path / "enforce"
    home.mkdir()
    folder.mkdir()
    enforce.write_text("1")
    monkeypatch.setattr(machine, "SELINUX", enforce)
    monkeypatch.setenv("LABELSPACE_HOME", str(home))
    buckets = [{"name": "kept"}, {"name": "photos", "path": str(folder)}]
    spec = parse_spec({**LOCAL, "buckets": buckets})
    made = declared(lambda opts: Workspace("w", spec, opts))
    given = [one.object for one in made.of("docker") if one.type.endswith(":Container")]
    rows = [rpc.deserialize_properties(inputs, keep_unknowns=True) for inputs in given]
    return {str(row["name"]).removeprefix("labelspace-w-"): row for row in rows}


def test_server_workers_and_gateway_mount_it_read_only(containers: dict[str, Any], tmp_path: Path) -> None:
    mounted = {part: mount for part, row in containers.items() for mount in row.get("mounts") or []}
    assert mounted.keys() == {"server", "worker", "worker-chunks", "gateway"}
    assert all(mount["readOnly"] is True for mount in mounted.values())
    assert {mount["source"] for mount in mounted.values()} == {str(tmp_path / "images")}
    assert mounted["server"]["target"] == "/home/django/share/photos"


def test_nothing_binds_prepares_or_labels_it(containers: dict[str, Any], tmp_path: Path) -> None:
    folder = str(tmp_path / "images")
    binds = [bind for row in containers.values() for bind in row.get("volumes") or []]
    assert [bind for bind in binds if bind.get("hostPath", "").startswith(folder)] == []
    assert {part for part in containers if part.startswith("bucket-")} == {"bucket-kept"}
    assert "label:disable" in containers["server"]["securityOpts"]
    assert "label:disable" not in containers["ui"]["securityOpts"]

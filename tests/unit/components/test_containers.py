"""What the local target's containers run inside images that this project does not build."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pulumi.runtime import rpc
from tests.unit.components.test_options import LOCAL, declared

from labelspace import Workspace
from labelspace.cvat.images import IMAGES

APPLETS = "chmod|chown|cp|df|du|find|ls|mkdir|mountpoint|mv|rm|rmdir|sleep|stat|test|timeout|touch|umount"
GNU_OPTION = re.compile(rf"\b({APPLETS})\b[^\n;|&]*\s--[a-z]")
"""A long option of a command that is a busybox applet in Alpine's images: few applets have long options."""


@pytest.fixture
def containers(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> dict[str, Any]:
    """The inputs of all containers of a workspace that may sleep, by part; not at the default version."""
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    settings = {**LOCAL, "cvat_version": "2.73.9", "sleep_after_minutes": 10}
    made = declared(lambda opts: Workspace("w", opts, **settings))
    given = [one.object for one in made.of("docker") if one.type.endswith(":Container")]
    rows = [rpc.deserialize_properties(inputs, keep_unknowns=True) for inputs in given]
    return {str(row["name"]).removeprefix("labelspace-w-"): row for row in rows}


def _scripts(row: Any) -> Iterator[str]:
    yield from row.get("command", [])
    yield from row.get("healthcheck", {}).get("tests", [])


def test_a_workspace_runs_one_version_of_cvats_server(containers: dict[str, Any]) -> None:
    images = {row["image"] for row in containers.values() if str(row["image"]).startswith("cvat/server")}
    assert containers["sleeper"]["image"] == "cvat/server:v2.73.9"
    assert images == {"cvat/server:v2.73.9"}


def test_commands_in_alpines_images_use_no_option_that_busybox_refuses(containers: dict[str, Any]) -> None:
    alpine = {IMAGES[name] for name in ("caddy", "rclone", "redis", "versitygw")} | {"cvat/ui:v2.73.9"}
    scripts = [text for row in containers.values() if row["image"] in alpine for text in _scripts(row)]
    assert any("chown" in text for text in scripts)
    assert [found[0] for text in scripts if (found := GNU_OPTION.search(text))] == []

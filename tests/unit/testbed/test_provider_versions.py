"""The provider that the tests run against the one that users get: a record says where they part."""

from __future__ import annotations

import json
import re
import tomllib

from tests.paths import ROOT

PLUGIN = ROOT / "testbed" / "plugins" / "scaleway"
VERSIONS = json.loads((ROOT / "testbed" / "scaleway_api" / "versions.json").read_text())


def test_the_record_is_of_the_locked_sdk_and_of_the_built_provider() -> None:
    """After an upgrade of either: read which provider the SDK wraps (provider/go.mod of its repository)."""
    locked = {one["name"]: one["version"] for one in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    assert VERSIONS["sdk"] == locked["pulumiverse-scaleway"]
    assert f'const version = "{VERSIONS["sdk"]}"' in (PLUGIN / "main.go").read_text()
    built = re.search(r"terraform-provider-scaleway/v2 (v\S+)", (PLUGIN / "go.mod").read_text())
    assert built
    assert VERSIONS["tested"] == built[1]


def test_the_guide_says_where_they_part() -> None:
    guide = (ROOT / "docs" / "scaleway.md").read_text()
    parted = VERSIONS["wrapped"] != VERSIONS["tested"]
    assert parted == bool(VERSIONS["differences"])
    if parted:
        assert f"SDK {VERSIONS['sdk']}" in guide
        assert f"provider {VERSIONS['tested']}" in guide

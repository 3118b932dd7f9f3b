"""The images of a workspace: the list that is pulled before an update is what its containers run."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.components.test_options import LOCAL, declared

from labelspace.cvat.images import cvat_image
from labelspace.postgres import pgbackrest
from labelspace.spec import LocalSpec, parse_spec
from labelspace.targets.local.image_names import image_names
from labelspace.workspace import StackWorkspace

WORKSPACES: dict[str, dict[str, Any]] = {
    "plain": {"name": "w", "buckets": [{"name": "one"}]},
    "with a remote bucket": LOCAL,
    "that sleeps": {"name": "w", "buckets": [{"name": "one"}], "sleep_after_minutes": 30},
    "of another version of CVAT": {"name": "w", "buckets": [{"name": "one"}], "cvat_version": "2.73.1"},
    "with an external database": {
        "name": "w",
        "buckets": [{"name": "one"}],
        "external_database": {"host": "db.example.org", "name": "cvat", "user": "cvat", "password": "entry"},
    },
}


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))


@pytest.mark.parametrize("settings", WORKSPACES.values(), ids=WORKSPACES)
def test_what_is_pulled_is_what_the_containers_run(settings: dict[str, Any]) -> None:
    spec = parse_spec(settings)
    assert isinstance(spec, LocalSpec)
    resources = declared(lambda opts: StackWorkspace(spec)).of("docker")
    containers = [one for one in resources if one.type.endswith(":Container")]
    images = {one.object["name"]: one for one in resources if one.type.endswith(":RemoteImage")}
    built = pgbackrest.image_name()
    assert {one.object["image"] for one in containers} == {*image_names(spec), built}
    assert all(one.customTimeouts.create == "6h" for one in [*containers, *images.values()]), (
        "else 20 minutes"
    )
    assert all(one.object["keepLocally"] for one in images.values())
    names = [cvat_image(part, spec.cvat_version) for part in ("server", "ui")]
    assert images.keys() == {*names, built}
    assert {images[name].object["platform"] for name in names} == {"linux/amd64"}, "CVAT publishes no other"

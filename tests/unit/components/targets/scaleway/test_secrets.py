"""The script that fetches a server's secrets, run against the double of Secret Manager."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import ModuleType

import pytest
from testbed.scaleway_api.app import running
from testbed.scaleway_api.cloud import Cloud

from labelspace.targets.scaleway import cloud_init

FILES = {"redis/0-redis.conf": "requirepass sesame\n", "pgpass": "*:5432:*:cvat:größe\n"}
ENDED_WELL = 0


@pytest.fixture
def script(tmp_path: Path) -> ModuleType:
    module = ModuleType("labelspace_secrets")
    exec(compile(cloud_init.script("labelspace-secrets"), "labelspace-secrets", "exec"), module.__dict__)  # noqa: S102
    module.RUN = tmp_path / "run"  # type: ignore[attr-defined]
    return module


def _configure(script: ModuleType, address: str) -> None:
    keys = {"ACCESS_KEY": "SCWXXXXXXXXXXXXXXXXX", "SECRET_KEY": "key", "S3": "https://s3.fr-par.scw.cloud"}
    known = {**keys, "API": f"http://{address}", "REGION": "fr-par", "SECRET_ID": "one"}
    script.settings = lambda: known  # type: ignore[attr-defined]


def test_every_file_is_put_where_containers_find_it(script: ModuleType, tmp_path: Path) -> None:
    cloud = Cloud()
    data = base64.b64encode(json.dumps(FILES).encode()).decode()
    cloud.add("secret", {"id": "one", "_versions": [{"revision": 1, "_data": data}]})
    with running(cloud) as address:
        _configure(script, address)
        assert script.main() == ENDED_WELL
    assert {name: (tmp_path / "run/files" / name).read_text() for name in FILES} == FILES
    assert "secret_access_key = key" in (tmp_path / "run/rclone.conf").read_text()
    assert (tmp_path / "run/rclone.conf").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_secrets_that_cannot_be_had_yet_end_with_a_reason(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(Cloud()) as address:
        _configure(script, address)
        assert script.main() == 1
    assert "404" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()

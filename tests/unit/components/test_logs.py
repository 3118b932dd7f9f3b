"""No log grows without a bound: those of the containers, and those that programs write themselves."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from pulumi.runtime import rpc
from tests.unit.components.targets.scaleway.test_cloud_init import example, with_database
from tests.unit.components.test_options import LOCAL, declared

from labelspace import Workspace
from labelspace.container_spec import LOG_LIMIT
from labelspace.cvat import kvrocks
from labelspace.cvat.caddy import caddyfile
from labelspace.postgres import container, pgbackrest
from labelspace.spec import BackupSpec
from labelspace.targets.scaleway import compose

EXTERNAL = {"host": "db.example.org", "name": "cvat", "user": "cvat", "password": "a-password"}
SETTINGS = ({"sleep_after_minutes": 10}, {"database": EXTERNAL})
OWN_LOG_FILE = re.compile(r"--log-file|--logfile|log_directory|logging_collector=on")


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda one: next(iter(one)))
def test_every_container_of_this_machine_has_a_bounded_log(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    made = declared(lambda opts: Workspace("w", opts, **{**LOCAL, **settings}))
    given = [one.object for one in made.of("docker") if one.type.endswith(":Container")]
    rows = [rpc.deserialize_properties(inputs, keep_unknowns=True) for inputs in given]
    assert len(rows) > 12
    assert [
        row["name"] for row in rows if (row["logDriver"], row["logOpts"]) != ("json-file", LOG_LIMIT)
    ] == []
    commands = {row["name"]: " ".join([*row.get("entrypoints", []), *row.get("command", [])]) for row in rows}
    assert [name for name, words in commands.items() if OWN_LOG_FILE.search(words)] == []


@pytest.mark.parametrize("boot", [example, with_database])
def test_every_container_of_a_server_has_a_bounded_log(boot: Any) -> None:
    services = yaml.safe_load(compose.compose(boot()))["services"]
    bounded = {"driver": "json-file", "options": LOG_LIMIT}
    assert len(services) > 8
    assert [name for name, one in services.items() if one["logging"] != bounded] == []


def test_programs_with_log_files_of_their_own_write_none() -> None:
    settings = pgbackrest.secret_files("w", BackupSpec(), "k" * 40)[pgbackrest.PGBACKREST_FILE]
    assert "log-level-file=off" in settings.splitlines()
    assert "log-dir stdout" in kvrocks.configuration("password", 512).splitlines()
    options = container.service("p", {}, BackupSpec(), size="small").command
    assert not [word for word in options if word.startswith(("logging_collector", "log_directory"))]


def test_each_file_that_caddy_writes_rolls() -> None:
    rules = caddyfile(8080, "open", None, sleeps=True, public=None)
    files = re.findall(r"output file [^{]*\{([^}]*)\}", rules)
    assert files
    assert all("roll_size" in one and "roll_keep" in one for one in files)
    assert rules.count("output file") == len(files)

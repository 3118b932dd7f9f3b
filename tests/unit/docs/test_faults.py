"""The tables of faults and of data: each named test exists, each volume has a row."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime import rpc
from tests.unit.components.targets.scaleway.test_cloud_init import example, with_database
from tests.unit.components.test_options import LOCAL, declared

from labelspace import Workspace
from labelspace.targets.scaleway import compose

ROOT = Path(__file__).resolve().parents[3]
FAULTS, DATA_SAFETY = ROOT / "docs" / "faults.md", ROOT / "docs" / "data-safety.md"
NAMED = re.compile(r"`(tests/\S+\.py)::(test_\w+)`")


def _tests(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_fault_names_a_test_that_exists() -> None:
    rows = [line for line in FAULTS.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    named = [NAMED.findall(row) for row in rows]
    assert len(rows) > 20
    assert [row for row, tests in zip(rows, named, strict=True) if len(tests) != 1] == []
    missing = [name for ((file, name),) in named if name not in _tests(ROOT / file)]
    assert missing == []


def _volumes_in_the_table() -> set[str]:
    cells = re.findall(r"^\| volumes? ([^|]*)\|", DATA_SAFETY.read_text(encoding="utf-8"), re.M)
    names = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    return {name.removeprefix("labelspace-NAME-") for name in names}


def _local_volumes(settings: dict[str, Any]) -> set[str]:
    made = declared(lambda opts: Workspace("w", opts, **{**LOCAL, **settings}))
    given = [one.object for one in made.of("docker") if one.type.endswith(":Volume")]
    names = [str(rpc.deserialize_properties(one, keep_unknowns=True)["name"]) for one in given]
    return {name.removeprefix("labelspace-w-") for name in names}


def test_each_volume_has_a_row_that_says_whether_it_may_be_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    declared_here = _local_volumes({"sleep_after_minutes": 10})
    files = [yaml.safe_load(compose.compose(boot())) for boot in (example, with_database)]
    on_servers = {name for file in files for name in file["volumes"]}
    assert declared_here >= {"database", "data", "keys", "logs", "redis", "cache", "notes"}
    assert (declared_here | on_servers) - _volumes_in_the_table() == set()

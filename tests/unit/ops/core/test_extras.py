"""Every module that the core does not bring is named with its extra."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest

import labelspace
import labelspace_ops
from labelspace_ops.cli import main as cli_main
from labelspace_ops.core import extras
from labelspace_ops.core.reporting import Event, Failed

FOLDERS = [Path(str(package.__file__)).parent for package in (labelspace, labelspace_ops)]
IN_CONTAINERS = "container_files"
"""Files that run on the Python of an image, with that image's packages."""
NAMED_BY_THE_READER = {"PIL", "pyarrow"}
"""Packages for one flag of the audit; the code that uses them says which to install."""
TYPES_ONLY = {"mypy_boto3_s3", "mypy_boto3_iam"}


def _imported() -> set[str]:
    """Top-level names of all modules from other distributions that the package imports."""
    found = set()
    for path in (path for folder in FOLDERS for path in folder.rglob("*.py")):
        if IN_CONTAINERS in path.parts or "image" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"labelspace", "labelspace_ops"} - TYPES_ONLY


def _core() -> set[str]:
    """The distributions that come with the package without an extra, with all that they require."""
    todo, known = ["labelspace"], set[str]()
    while todo:
        name = todo.pop()
        for text in requires(name) or []:
            required = re.split(r"[^\w.-]", text, maxsplit=1)[0].lower().replace("_", "-")
            if "extra ==" not in text and ";" not in text and required not in known:
                known.add(required)
                todo.append(required)
    return known


def test_a_module_is_of_the_core_or_has_an_extra() -> None:
    by_module, core = packages_distributions(), _core()
    optional = {
        module
        for module in _imported()
        if not {one.lower().replace("_", "-") for one in by_module.get(module, [])} & core
    }
    assert optional - extras.MODULES.keys() == NAMED_BY_THE_READER


def test_every_extra_that_is_named_exists() -> None:
    named = {
        match[1]
        for text in requires("labelspace") or []
        for match in re.finditer(r"extra == ['\"](\w+)", text)
    }
    assert set(extras.MODULES.values()) <= named


@pytest.mark.parametrize("name", ["numpy", "scipy.special", "nicegui"])
def test_a_command_ends_with_the_extra_and_exit_code_2(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def misses() -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(cli_main, "app", misses)
    events: list[Event] = []
    with pytest.raises(SystemExit) as ended:
        cli_main.main(events.append)
    assert ended.value.code == 2
    extra = extras.MODULES[name.partition(".")[0]]
    assert isinstance(events[0], Failed)
    assert f"`pip install 'labelspace[{extra}]'`" in events[0].reason


def test_a_missing_module_that_no_extra_brings_is_a_defect(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))

    def misses() -> None:
        raise ModuleNotFoundError("No module named 'nowhere'", name="nowhere")

    monkeypatch.setattr(cli_main, "app", misses)
    events: list[Event] = []
    with pytest.raises(SystemExit) as ended:
        cli_main.main(events.append)
    (report,) = (tmp_path / "reports").iterdir()
    assert ended.value.code == 1
    assert isinstance(events[0], Failed)
    assert f"a defect of it: report it with {report}" in events[0].reason
    assert "No module named 'nowhere'" in report.read_text()
    assert report.stat().st_mode & 0o777 == 0o600

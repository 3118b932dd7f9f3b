"""The public interface: its names, their documentation, and what the wheel ships."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import labelspace
from labelspace.home import Home

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "components" / "labelspace"
PYRIGHT = "1.1.414"
PROGRAM = """
import pulumi
from labelspace import AdminArgs, AnnotationDatabase, DatasetBucket, Workspace

endpoint: pulumi.Output[str] = DatasetBucket("photos", port=9000).endpoint
port: pulumi.Output[int] = AnnotationDatabase("labels", backup={"retention_days": 3}).port
photos = DatasetBucket("photos", port=9000)
key = pulumi.Config().require_secret("key")
url: pulumi.Output[str] = Workspace(
    "w",
    buckets=[photos, {"name": "more"}],
    database=AnnotationDatabase("labels"),
    admin=AdminArgs(email=photos.bucket, password=key),
    backup={"encryption_key": key},
    opts=pulumi.ResourceOptions(protect=True),
).url
Workspace("w", buckets=[{"name": "one"}], size=photos.bucket)
Workspace("w", bucket=[{"name": "one"}])
Workspace("w", buckets=[{"name": "one"}], size="huge")
DatasetBucket("photos", port="9000")
"""


@pytest.mark.parametrize("name", labelspace.__all__)
def test_a_public_name_can_be_imported_and_is_documented(name: str) -> None:
    public = getattr(labelspace, name)
    assert public.__module__.startswith(("labelspace.", "labelspace_ops."))
    assert len(inspect.getdoc(public) or "") > 40


def test_nothing_is_public_by_accident() -> None:
    imported = {name for name in dir(labelspace) if not inspect.ismodule(getattr(labelspace, name))}
    assert {name for name in imported if not name.startswith("_")} == set(labelspace.__all__)
    assert labelspace.__all__ == sorted(labelspace.__all__)


OUTPUTS = {
    "Workspace": 7,
    "DatasetBucket": 6,
    "AnnotationDatabase": 7,
    "AnnotationServer": 3,
    "LabelSchema": 2,
    "Annotators": 2,
}
"""How many each component has."""


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_of_a_component_is_documented(name: str) -> None:
    source = inspect.getsource(getattr(labelspace, name))
    outputs = re.findall(r'^    (\w+): pulumi\.Output\[.*\]\n(    """.+""")?', source, re.MULTILINE)
    assert len(outputs) == OUTPUTS[name]
    assert [output for output, documented in outputs if not documented] == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    uv = shutil.which("uv") or str(Home.find().tools / "uv" / "bin" / "uv")
    subprocess.run([uv, "build", "--wheel", "--quiet", "--out-dir", str(folder), str(ROOT)], check=True)
    return zipfile.ZipFile(next(folder.glob("labelspace-*.whl")))


def test_the_wheel_ships_the_typed_marker_and_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {"labelspace/py.typed", "labelspace/postgres/image/Dockerfile"} <= names
    tracked = subprocess.run(
        ["git", "ls-files", "."], cwd=PACKAGE, capture_output=True, text=True, check=True
    ).stdout.split()
    assert {f"labelspace/{name}" for name in tracked} - names == set()
    assert not [name for name in names if name.endswith((".pyc", ".go"))]


def test_another_teams_type_checker_reads_the_types(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """From the wheel's files: the last four lines alone are wrong."""
    wheel.extractall(tmp_path / "site")
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "program.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(tmp_path / "site")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    errors = [line for line in done.stdout.splitlines() if "error:" in line and line.startswith("program.py")]
    expected = (
        'Argument "size" to "Workspace" has incompatible type "Output[str]"',
        'Unexpected keyword argument "bucket"',
        'Argument "size" to "Workspace" has incompatible type "Literal[\'huge\']"',
        'Argument "port" to "DatasetBucket" has incompatible type "str"',
    )
    assert len(errors) == len(expected), done.stdout
    assert [text for text in expected if not any(text in line for line in errors)] == []


@pytest.mark.parametrize("example", ["own-stack"])
def test_an_example_has_the_types_that_mypy_wants(
    wheel: zipfile.ZipFile, tmp_path: Path, example: str
) -> None:
    wheel.extractall(tmp_path / "site")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "__main__.py"],
        cwd=ROOT / "examples" / example,
        env={**os.environ, "MYPYPATH": str(tmp_path / "site"), "MYPY_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not [line for line in done.stdout.splitlines() if line.startswith("__main__.py")], done.stdout


def test_pyright_reads_the_types_too(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Strict, from the wheel's files: the example has no error, the last four lines of ``PROGRAM`` have."""
    wheel.extractall(tmp_path / "site")
    (tmp_path / "program.py").write_text(PROGRAM)
    shutil.copy2(ROOT / "examples" / "own-stack" / "__main__.py", tmp_path / "example.py")
    settings = {"typeCheckingMode": "strict", "extraPaths": ["site"], "include": ["program.py", "example.py"]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        ["npx", "--yes", f"pyright@{PYRIGHT}", "--pythonpath", sys.executable, "--outputjson"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = [
        (Path(one["file"]).name, one["range"]["start"]["line"])
        for one in json.loads(done.stdout)["generalDiagnostics"]
    ]
    wrong = len(PROGRAM.splitlines())
    assert set(found) == {("program.py", line) for line in range(wrong - 4, wrong)}, done.stdout

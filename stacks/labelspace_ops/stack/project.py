"""The labelspace project that a command works on: folder, files, and where this machine keeps its state.

A project is a folder with a ``Pulumi.yaml`` whose name is ``labelspace``. A command works on the one that
``$LABELSPACE_PROJECT`` names, else on the nearest one from the current folder upward, else on the home's own,
``$LABELSPACE_HOME/project``. Two projects share no settings, no labels file and no state: the state of the
home's own project is in ``$LABELSPACE_HOME``, that of every other one in a folder of its own below
``$LABELSPACE_HOME/projects``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from labelspace.home import Home
from labelspace_ops.core.errors import UsageError
from labelspace_ops.stack import declared

FILE = "Pulumi.yaml"
NAME = "labelspace"
VARIABLE = "LABELSPACE_PROJECT"
TEMPLATE = files("labelspace_ops.stack") / "template"


@dataclass(frozen=True)
class Project:
    """One project on this machine; nothing is created by asking for a path."""

    folder: Path
    """Where ``Pulumi.yaml`` is."""
    data: Path
    """Where this machine keeps the project's state and its login, outside of the project."""

    @property
    def state(self) -> Path:
        """The folder of Pulumi's state, as long as there is no login to another place."""
        return self.data / "state"

    @property
    def login(self) -> Path:
        """The file with the URL of the last ``labelspace login``."""
        return self.data / "backend"

    @property
    def settings(self) -> Path:
        """The folder of the workspaces' settings files."""
        return self.folder / "stacks"

    @property
    def labels(self) -> Path:
        """The folder of the labels files."""
        return self.settings / "labels"

    def settings_file(self, workspace: str) -> Path:
        """The settings of one workspace, whether the file exists or not."""
        return self.settings / f"Pulumi.{workspace}.yaml"


def find(home: Home) -> Project:
    """The project of ``--stack``, of ``$LABELSPACE_PROJECT``, of the current folder, or the home's own.

    Raises ``UsageError`` when the variable names a folder that is no project.
    """
    if stack := declared.current():
        return Project(stack.folder, home.root)
    if named := os.environ.get(VARIABLE):
        if not is_project(Path(named)):
            raise UsageError(
                f"{VARIABLE}: {named} has no {FILE} named {NAME}: unset it, or run `labelspace init {named}`"
            )
        return at(Path(named).resolve(), home)
    current = Path.cwd()
    folder = next((one for one in (current, *current.parents) if is_project(one)), home.own_project)
    return at(folder, home)


def at(folder: Path, home: Home) -> Project:
    """The project in ``folder``."""
    if folder.resolve() == home.own_project.resolve():
        return Project(home.own_project, home.root)
    return Project(folder, _data_folder(folder, home))


def others(current: Project, home: Home) -> Iterator[Project]:
    """The other projects that this machine has worked on and that still exist."""
    folders = [home.own_project, *(Path(folder) for folder in _known(home).values())]
    for folder in folders:
        if is_project(folder) and folder.resolve() != current.folder.resolve():
            yield at(folder, home)


def is_project(folder: Path) -> bool:
    """Whether ``folder`` holds a ``Pulumi.yaml`` named ``labelspace``."""
    return read(folder).get("name") == NAME


def read(folder: Path) -> dict[str, Any]:
    """The ``Pulumi.yaml`` of a folder; empty when there is none, or when it is not a YAML mapping."""
    import yaml  # noqa: PLC0415 - commands that need no project do not wait for it

    with contextlib.suppress(OSError, UnicodeDecodeError, yaml.YAMLError):
        values = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
        return values if isinstance(values, dict) else {}
    return {}


def prepare(project: Project, home: Home) -> None:
    """Create the home's own project, or note where another one is, before Pulumi works on it.

    Raises ``UsageError`` when the project pins another version of labelspace: two versions of the program
    would undo each other's changes.
    """
    check_version(project)
    project.state.mkdir(parents=True, exist_ok=True)
    if project.data != home.root:
        if project.data not in _known(home):
            (project.data / "folder").write_text(f"{project.folder}\n")
    elif not is_project(project.folder):
        write_program(project.folder)


def work_folder(home: Home) -> Path:
    """The folder for a call of Pulumi: the project's; the root of all files when that is not made yet."""
    folder = find(home).folder
    return folder if folder.is_dir() else Path(folder.anchor)


def check_version(project: Project) -> None:
    """Raise ``UsageError`` when the project pins another version of labelspace."""
    file = project.folder / "requirements.txt"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    pinned = re.search(rf"^{NAME}(\[[\w, -]*\])? *== *([\w.+!-]+)", text, re.M)
    if pinned and pinned[2] != version(NAME):
        raise UsageError(
            f"{file}: it pins {NAME} {pinned[2]}, and this is {version(NAME)}: run"
            f" `uvx --from {NAME}=={pinned[2]} {NAME} ...`, or change the pin"
        )


def write_program(folder: Path, pulumi_yaml: str = FILE) -> None:
    """Write ``Pulumi.yaml``, the program and the example of a labels file; existing files are overwritten."""
    labels = Project(folder, folder).labels
    labels.mkdir(parents=True, exist_ok=True)
    (labels / "example.yaml").write_text(template("labels.yaml"), encoding="utf-8")
    (folder / "__main__.py").write_text(template("program.txt"))
    (folder / FILE).write_text(template(pulumi_yaml))  # last: it makes the folder a project


def template(name: str) -> str:
    """The text of a file of the project template."""
    return (TEMPLATE / name).read_text(encoding="utf-8")


def _known(home: Home) -> dict[Path, str]:
    """The folder of each project but the home's own, by the folder of its data."""
    return {path.parent: path.read_text().strip() for path in home.projects.glob("*/folder")}


def _data_folder(folder: Path, home: Home) -> Path:
    """The data of the project in ``folder``: known, or of a project that was moved here, or a new name."""
    known = _known(home)
    for data, path in known.items():
        if path == str(folder):
            return data
    for data, path in known.items():
        if not is_project(Path(path)) and _has_settings_of(folder, data):
            (data / "folder").write_text(f"{folder}\n")
            return data
    return home.projects / f"{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


def _has_settings_of(folder: Path, data: Path) -> bool:
    """Whether ``folder`` has the settings of every workspace in the state, and the state has a workspace."""
    moved = Project(folder, data)
    stacks = (moved.state / ".pulumi" / "stacks" / NAME).glob("*.json*")
    names = {file.name.partition(".json")[0] for file in stacks if file.suffix in (".json", ".gz")}
    return bool(names) and all(moved.settings_file(name).exists() for name in names)

"""Read and write the labels file of a workspace; a line for each problem."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.library_errors import reason
from labelspace_ops.labels.model import LabelsFile
from labelspace_ops.stack import project

HEADER = "# yaml-language-server: $schema=schema.json\n"
"""Names the JSON Schema of the file for editors."""


def path_for(workspace: str) -> Path:
    """Return the path of a workspace's labels file, which need not exist."""
    return project.find(Home.find()).labels / f"{workspace}.yaml"


def load(workspace: str) -> LabelsFile:
    """Return the workspace's labels file, an empty one when there is none. Raises ``UsageError``."""
    path = path_for(workspace)
    return read(path) if path.is_file() else LabelsFile()


def read(path: Path) -> LabelsFile:
    """Read and validate a labels file; raises ``UsageError`` with a line for each problem."""
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), _OnceLoader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"labels: {path}: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"labels: {path.name} is not valid YAML: {reason(error)}: mend it") from None
    return parse({} if found is None else found, path.name)


def parse(values: Any, source: str) -> LabelsFile:
    """Validate the content of a file; raises ``UsageError`` with a line for each problem."""
    try:
        return LabelsFile.model_validate(values)
    except ValidationError as error:
        raise UsageError("\n".join(f"{source}: {line}" for line in problems(error, values))) from None


def problems(error: ValidationError, values: Any, *, known: str = "") -> list[str]:
    """Return a sentence for each problem; ``known`` names what else than a file has the keys."""
    return [_sentence(problem, values, known) for problem in error.errors(include_url=False)]


def schema() -> str:
    """Return the JSON Schema of the file, for editors."""
    return json.dumps(LabelsFile.model_json_schema(), indent=2) + "\n"


def to_yaml(file: LabelsFile) -> str:
    """Return a file as YAML, without values that are the default."""
    values = file.model_dump(mode="json", exclude_defaults=True)
    return HEADER + yaml.dump(values, sort_keys=False, allow_unicode=True, width=100)


def write(file: LabelsFile, path: Path, *, replace: bool) -> None:
    """Write a file; raises ``UsageError`` when it exists and ``replace`` is not set."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if replace else "x", encoding="utf-8") as out:
            out.write(to_yaml(file))
        if path.parent == project.find(Home.find()).labels:
            write_schema(path.parent)
    except FileExistsError:
        raise UsageError(
            f"out: {path} exists: write to another with --out and compare, or give --replace"
        ) from None
    except OSError as error:
        raise OpsError(f"out: {path}: {error.strerror}: choose another file with --out") from None


def write_schema(folder: Path) -> None:
    """Write the JSON Schema, which every labels file names, into the folder of the labels files."""
    (folder / "schema.json").write_text(schema(), encoding="utf-8")


class _OnceLoader(yaml.SafeLoader):
    """A loader that refuses a key that is given twice; YAML would use the last one."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key, (where, _) in zip(keys, node.value, strict=True):
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} is given twice", where.start_mark
                )
        return super().construct_mapping(node, deep)


def _sentence(problem: Any, values: Any, known: str) -> str:
    where = _place(problem["loc"], values)
    message = _next_step(problem, known)
    plain = isinstance(problem["input"], str | int | float) and problem["type"] != "missing"
    return f"{where}: {problem['input']!r} is refused: {message}" if plain else f"{where}: {message}"


def _place(loc: tuple[Any, ...], values: Any) -> str:
    """``projects[Street].labels[car].type``: list items go by their names."""
    parts: list[str] = []
    for step in loc:
        try:
            values = values[step]
        except (KeyError, IndexError, TypeError):
            values = None
        if isinstance(step, int):
            named = values.get("name") or values.get("email") if isinstance(values, dict) else None
            parts[-1] += f"[{named or step + 1}]"
        else:
            parts.append(str(step))
    return ".".join(parts) or "file"


def _next_step(problem: Any, known: str) -> str:
    kind = problem["type"]
    if kind == "missing":
        return "missing: give a value"
    if kind == "extra_forbidden":
        return (
            f"{known} that does not exist: see the documentation of the component"
            if known
            else "no such key: schema.json in the folder of the file lists the keys"
        )
    if kind == "literal_error":
        return f"choose one of {problem['ctx']['expected']}"
    return str(problem["msg"]).removeprefix("Value error, ")

"""Every command and flag that an error or a status advises is one that the command line takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from docs import generate

from labelspace_ops.cli import main  # noqa: F401 - registers the commands
from labelspace_ops.cli.app import app

QUOTED = re.compile(r"`labelspace([^`]*)`")
PLAIN = re.compile(r"(?<!another )\blabelspace ([a-z]+)")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
RAISED_BY = {
    "components/labelspace/spec/workspace.py": ("create", "preview"),
    "stacks/labelspace_ops/audit": ("audit",),
    "stacks/labelspace_ops/backup/import_backup.py": ("create",),
    "stacks/labelspace_ops/cli/audit.py": ("audit",),
    "stacks/labelspace_ops/cli/console.py": ("console",),
    "stacks/labelspace_ops/cli/export.py": ("export",),
    "stacks/labelspace_ops/cli/login.py": ("login",),
    "stacks/labelspace_ops/cli/upload.py": ("upload",),
    "stacks/labelspace_ops/labels/labels_file.py": ("labels pull",),
    "stacks/labelspace_ops/stack/backend.py": ("login",),
    "stacks/labelspace_ops/targets/base.py": ("delete",),
    "stacks/labelspace_ops/targets/local/preflight.py": ("create", "preview"),
    "stacks/labelspace_ops/targets/scaleway/import_backup.py": ("create",),
}
"""A module or package whose errors name flags without a command -> every command that ends with them."""

COMMANDS: dict[str, Any] = dict(generate.walk(typer.main.get_command(app)))


def _texts(file: Path) -> Iterator[str]:
    """Every text of a module but its docstrings, with the names of what is put in, in braces."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
        if is_text and id(node) not in inner | prose:
            yield generate._text(node)  # type: ignore[arg-type]


def _advised() -> set[tuple[str, str]]:
    """Each advised command with a file that advises it."""
    return {
        (found[1].strip(), str(file.relative_to(generate.ROOT)))
        for file in generate._files()
        for text in _texts(file)
        for found in QUOTED.finditer(text)
        if not found[1].startswith(" {")  # it names a command that runs
    }


def _parse(words: list[str]) -> None:
    """Parse the words as the command line does."""
    path = next((path for path in (" ".join(words[:2]), words[0]) if path in COMMANDS), "")
    assert path, "there is no such command"
    COMMANDS[path].make_context(path, words[len(path.split()) :])


@pytest.mark.parametrize(("advice", "file"), sorted(_advised()))
def test_an_advised_command_is_one_that_can_be_typed(advice: str, file: str) -> None:
    words = re.sub(r"\{[^}]*\}", "1", advice).split()
    if words[-1:] == ["--help"]:
        words[-1] = "1"  # parsing it would print the help
    assert words != ["create"], f"{file} advises a `create` that asks for a name"
    try:
        _parse(words)
    except Exception as error:
        raise AssertionError(f"{file} advises `labelspace {advice}`: {error}") from None


def test_there_is_advice_to_check() -> None:
    assert len(_advised()) > 40


def _errors() -> Iterator[tuple[str, str]]:
    for file in generate._files():
        for text, _ in generate._sentences(file):
            yield str(file.relative_to(generate.ROOT)), QUOTED.sub("", text)


def test_a_command_in_an_error_is_quoted() -> None:
    """Then its end can be seen, by people and by the test above."""
    verbs = {path.split()[0] for path in COMMANDS}
    found = [(file, text) for file, text in _errors() for word in PLAIN.findall(text) if word in verbs]
    assert found == []


def test_a_flag_without_a_command_is_one_of_the_command_that_failed() -> None:
    for file, text in _errors():
        flags = set(FLAG.findall(re.sub("`[^`]*`", "", text)))
        places = [place for place in RAISED_BY if file.startswith(place)]
        assert not flags or places, f"{file}: name the whole command: {text}"
        for command in (one for place in places for one in RAISED_BY[place]):
            known = {flag for param in COMMANDS[command].params for flag in param.opts}
            assert flags <= known, f"`labelspace {command}` has no {flags - known}: {text}"

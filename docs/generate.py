"""The reference, made from the code: ``python -m docs.generate`` writes it, ``--check`` finds it stale."""

from __future__ import annotations

import ast
import inspect
import itertools
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import typer.main
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from labelspace.cvat_lines import all_lines, default_version
from labelspace.spec import SPECS, WorkspaceSpec
from labelspace_ops.cli import main as cli_main  # noqa: F401 - importing cli registers the commands
from labelspace_ops.cli.app import app
from labelspace_ops.workspaces import models

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"
HEAD = "<!-- Made from the code by `make docs`: change the code, not this page. -->\n\n"
SOURCES = ("components/labelspace/spec", "stacks/labelspace_ops", "components/labelspace")
RAISED = {
    "UsageError": 2,
    "SpecError": 2,
    "OpsError": 1,
    "RefusedError": 1,
    "NoSuchWorkspaceError": 2,
    "RunError": 1,
}
"""What ends a command with one sentence -> its exit code."""
PROBES = ("", "0.0.0.0/0", "172.17.0.0/16")
"""Values that no setting takes: what is said about them is the setting's limit."""


def cell(text: object) -> str:
    """Text for a cell of a table, its double backquotes made Markdown's single ones."""
    return " ".join(str(text).split()).replace("``", "`").replace("|", "\\|")


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell(one) for one in line) + " |" for line in lines) + "\n"


def documented(kind: type) -> dict[str, str]:
    """The sentence below each field of a class."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    body = next(one.body for one in tree.body if isinstance(one, ast.ClassDef))
    pairs = itertools.pairwise(body)
    return {
        field.target.id: after.value.value
        for field, after in pairs
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(after.value.value, str)
    }


# Settings


def settings() -> str:
    """Every key of a stack's file, with the limits that the code checks."""
    head = ("setting", "takes", "default", "limits", "meaning")
    text = (
        "# Settings\n\nIn `stacks/Pulumi.NAME.yaml` each key has the prefix `labelspace:`;"
        " `labelspace set NAME KEY=VALUE`\nwrites it without. A key with a dot is part of a block; `[]`"
        " stands for each item of a list. Secrets are encrypted there.\n\n"
    )
    return text + table(head, _rows(WorkspaceSpec, "")) + "".join(_of_target(*one) for one in SPECS.items())


def _of_target(target: str, spec: type[WorkspaceSpec]) -> str:
    """The settings that only one target has."""
    head = ("setting", "takes", "default", "limits", "meaning")
    common = WorkspaceSpec.model_fields.keys()
    rows = (
        row
        for row in _rows(spec, "")
        if str(row[0]).strip("`").split(".")[0].removesuffix("[]") not in common
    )
    return f"\n## Target {target}\n\n" + table(head, rows)


def _rows(model: type[BaseModel], prefix: str) -> Iterator[tuple[object, ...]]:
    said = documented(model)
    for name, field in model.model_fields.items():
        inner, many = _inner(field.annotation)
        key = f"{prefix}{name}{'[]' if many and inner else ''}"
        takes = "list of blocks" if many and inner else "block" if inner else _takes(field.annotation)
        yield (f"`{key}`", takes, _default(field, inner), _limits(model, name, field), said.get(name, ""))
        if inner:
            yield from _rows(inner, f"{key}.")


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The block that a field holds, and whether it holds many."""
    many = get_origin(annotation) is tuple
    kinds = [one for one in (*get_args(annotation), annotation) if isinstance(one, type)]
    return next((one for one in kinds if issubclass(one, BaseModel)), None), many


def _takes(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_takes(one) for one in inside if one is not NoneType)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inside)
    if origin is tuple:
        return f"list of {_takes(inside[0])}"
    if hasattr(annotation, "__metadata__"):
        return _takes(annotation.__origin__)
    return {bool: "`true` or `false`", int: "number", SecretStr: "secret"}.get(annotation, "text")


def _default(field: FieldInfo, inner: type[BaseModel] | None) -> str:
    if field.is_required():
        return "required"
    if inner or field.default in (None, ()):
        return "" if inner and field.default is not None else "none"
    shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"`{shown}`" if shown else "empty"


def _limits(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    bounds = {key: value for one in field.metadata for key, value in _bounds(one)}
    said = [f"{bounds['ge']} to {bounds['le']}"] if {"ge", "le"} <= bounds.keys() else []
    said += [f"at most {bounds['max_length']} characters"] if "max_length" in bounds else []
    said += [f"a multiple of {bounds['multiple_of']}"] if "multiple_of" in bounds else []
    said += [f"`{bounds['pattern']}`"] if "pattern" in bounds else []
    return "; ".join([*said, *_refusals(model, name)])


def _bounds(one: object) -> Iterator[tuple[str, Any]]:
    for key in ("ge", "le", "max_length", "multiple_of", "pattern"):
        value = getattr(one, key, None)
        if value is not None:
            yield key, value


def _refusals(model: type[BaseModel], name: str) -> list[str]:
    """What the code itself says about values that it does not take."""
    found = {message: None for probe in PROBES for message in _refusal(model, name, probe)}
    return list(found)


def _refusal(model: type[BaseModel], name: str, probe: str) -> list[str]:
    for value in (probe, [probe]):
        try:
            model.model_validate({name: value})
        except ValidationError as error:
            mine = [
                one for one in error.errors() if one["loc"][:1] == (name,) and one["type"] == "value_error"
            ]
            if mine:
                return [str(mine[0]["msg"]).removeprefix("Value error, ")]
    return []


# Commands


def commands() -> str:
    """Every command with its arguments and flags."""
    group = typer.main.get_command(app)
    text = (
        "# Commands\n\nProgress and warnings go to standard error, what was asked for to standard output.\n"
    )
    return text + "".join(_command(path, one) for path, one in sorted(walk(group)))


def walk(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each command of a group by the words that call it, without the program's own."""
    for name, one in group.commands.items():
        words = f"{path} {name}".strip()
        if hasattr(one, "commands"):
            yield from walk(one, words)
        else:
            yield words, one


def _command(path: str, one: Any) -> str:
    arguments = " ".join(_argument(param) for param in one.params if param.param_type_name == "argument")
    rows = [_flag(param) for param in one.params if param.name != "help"]
    printed = f"Its JSON: {_typed(models.PRINTED.get(path))}.\n"
    return "\n".join(
        [
            f"\n## {path}\n",
            f"    labelspace {path} {arguments}".rstrip() + "\n",
            f"{cell(one.help)}\n",
            table(("argument or flag", "takes", "default", "does"), rows),
            *([printed] if path in models.PRINTED else []),
        ]
    )


def _argument(param: Any) -> str:
    name = param.name.upper() + ("..." if param.nargs == -1 else "")
    return name if param.required else f"[{name}]"


def _flag(param: Any) -> tuple[str, ...]:
    named = param.param_type_name == "argument"
    shown = f"`{param.name.upper()}`" if named else ", ".join(f"`{one}`" for one in _spellings(param))
    takes = "" if getattr(param, "is_flag", False) else _kind(param)
    default = "required" if param.required else _shown_default(param)
    return shown, takes, default, param.help or ""


def _spellings(param: Any) -> list[str]:
    return [*param.opts, *param.secondary_opts]


def _kind(param: Any) -> str:
    words = {str: "text", int: "number", float: "number", Path: "path", bool: ""}
    annotation = param.type_descriptor.annotation
    many = get_origin(annotation) is list
    kind = words.get(get_args(annotation)[0] if many else annotation, "text")
    return kind + (", again for more" if many and param.nargs == 1 else "")


def _shown_default(param: Any) -> str:
    value = param.opts[0] if param.default is True else param.default
    return "" if value in (None, False, "", 0, ()) or callable(value) else f"`{value}`"


# Outputs and JSON


def outputs() -> str:
    """What a stack exports."""
    return (
        "# Outputs\n\n`pulumi stack output --json --show-secrets` prints what a workspace's stack exports."
        "\n\n" + _keys(models.Outputs)
    )


def printed() -> str:
    """The JSON of each command that promises one."""
    text = (
        "# JSON\n\nWith `--json` a command prints one JSON value on standard output. These keys stay within a"
        " major version.\n"
    )
    rows = [(f"`{path}`", _typed(shape)) for path, shape in sorted(models.PRINTED.items())]
    blocks = {one.__name__: one for shape in models.PRINTED.values() for one in _blocks(shape)}
    text += "\n" + table(("command", "prints"), rows)
    return text + "".join(f"\n## {name}\n\n{_about(one)}" for name, one in sorted(blocks.items()))


def _about(kind: Any) -> str:
    return f"{cell(inspect.getdoc(kind))}\n\n{_keys(kind)}"


def _keys(kind: Any) -> str:
    said, hints = documented(kind), get_type_hints(kind)
    rows = [
        (f"`{_key(kind, name)}`", _typed(hints[name], absent), said.get(name, ""))
        for name, absent in _fields(kind)
    ]
    return table(("key", "value", "meaning"), rows)


def _key(kind: Any, name: str) -> str:
    """The key that is printed: a word that Python reserves has another name in the code."""
    if not is_dataclass(kind):
        return kind.model_fields[name].alias or name
    marks = getattr(get_type_hints(kind, include_extras=True)[name], "__metadata__", ())
    return next((mark.alias for mark in marks if isinstance(mark, FieldInfo) and mark.alias), name)


def _fields(kind: Any) -> list[tuple[str, bool]]:
    """Names of the keys, and whether each may be absent."""
    if is_dataclass(kind):
        return [(one.name, False) for one in fields(kind)]
    return [(name, not one.is_required()) for name, one in kind.model_fields.items()]


def _typed(annotation: Any, absent: bool = False) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    words = {str: "text", int: "number", float: "number", bool: "`true` or `false`", NoneType: "null"}
    if origin in (Union, UnionType):
        known = [one for one in inside if not (absent and one is NoneType)]
        return " or ".join(_typed(one) for one in known) + (", null or absent" if absent else "")
    if origin is list:
        return f"list of {_typed(inside[0])}"
    if origin is dict:
        return f"object of {_typed(inside[1])}"
    if _is_block(annotation):
        return f"[{annotation.__name__}](json.md#{annotation.__name__.lower()})"
    return words.get(annotation, "value")


def _is_block(annotation: Any) -> bool:
    return isinstance(annotation, type) and (is_dataclass(annotation) or issubclass(annotation, BaseModel))


def _blocks(annotation: Any) -> Iterator[type]:
    """The shapes that a shape is made of, itself first."""
    if _is_block(annotation):
        yield annotation
        for hint in get_type_hints(annotation).values():
            yield from _blocks(hint)
    for inside in get_args(annotation):
        yield from _blocks(inside)


# Errors


def errors() -> str:
    """Exit codes, and every sentence with which a command ends."""
    text = """# Exit codes and errors

| code | means |
| --- | --- |
| 0 | done; of `status`, `create`, `start`, `set`: the workspace is `ready`; of `doctor`: every check passed |
| 1 | it failed, or the workspace is not `ready`; the same command again goes on where it was |
| 2 | the command cannot be granted as it was given; nothing was made or changed |
| 3 | of `audit --fail-on`: the audit was made, and a limit is broken |

A mistake or a failure ends with one of these sentences on standard error, never with a traceback.
Words in braces stand for what was found.
"""
    found = {file: list(_sentences(file)) for file in _files()}
    return text + "".join(_section(file, rows) for file, rows in found.items() if rows)


def _files() -> list[Path]:
    found = [path for source in SOURCES for path in _python(ROOT / source)]
    inside = [path for path in found if "images" not in path.parts and "inside" not in path.parts]
    return list(dict.fromkeys(inside))


def _python(source: Path) -> list[Path]:
    return [source] if source.is_file() else sorted(source.rglob("*.py"))


def _section(file: Path, rows: list[tuple[str, int]]) -> str:
    about = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or file.stem).splitlines()[0]
    unique = dict.fromkeys(rows)
    return f"\n## {cell(about)}\n\n" + table(("sentence", "code"), unique)


def _sentences(file: Path) -> Iterator[tuple[str, int]]:
    in_spec = file.is_relative_to(ROOT / SOURCES[0])
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        for argument, code in _raised(node, in_spec=in_spec):
            text = _text(argument)
            if any(letter.isalpha() for letter in _words(text)):
                yield text, code


def _raised(node: ast.AST, *, in_spec: bool) -> Iterator[tuple[ast.expr, int]]:
    """The text of an error that is raised, or that ``wait_until`` raises, and the exit code."""
    if isinstance(node, ast.keyword) and node.arg == "on_timeout":
        text = node.value.body if isinstance(node.value, ast.Lambda) else node.value
        if isinstance(text, ast.Constant | ast.JoinedStr):
            yield text, RAISED["OpsError"]
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
        name = ast.unparse(node.exc.func).rsplit(".", 1)[-1]
        code = RAISED["SpecError"] if in_spec and name == "ValueError" else RAISED.get(name)
        if code is not None:
            yield node.exc.args[0], code


def _words(text: str) -> str:
    """The text without what is in braces."""
    return "".join(part.rpartition("}")[2] for part in text.split("{"))


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return "{" + _named(node.value) + "}"
    return "{" + _named(node) + "}"


def _named(node: ast.expr) -> str:
    """A word for what is put in: the last name in the expression."""
    names = [one.attr if isinstance(one, ast.Attribute) else one.id
             for one in ast.walk(node) if isinstance(one, ast.Attribute | ast.Name)]  # fmt: skip
    literal = [str(one.value) for one in ast.walk(node) if isinstance(one, ast.Constant)]
    return (names or literal or ["..."])[0].strip("_")


def cvat_lines() -> str:
    """The lines of CVAT, from their data files."""
    rows = [
        (line.name, line.newest, f"`{line.state}`", line.date, line.sdk, line.source, line.unknown)
        for line in all_lines()
    ]
    head = ("line", "newest", "state", "since", "cvat-sdk", "read from", "not known")
    dropped = [
        (line.name, f"`{name}`", ", ".join(columns) or "the table")
        for line in all_lines()
        for name, columns in [*line.drops.columns.items(), *((one, ()) for one in line.drops.tables)]
    ]
    news = "".join(f"- {line.name}: {text}\n" for line in all_lines() for text in line.news)
    meanings = "[What the states mean](../cvat-versions.md)"
    return (
        f"# CVAT lines\n\nNew workspaces take {default_version()}. {meanings}.\n\n"
        f"{table(head, rows)}\n## What is new for users\n\n{news}\n## What an upgrade drops on purpose\n\n"
        f"{table(('line', 'table', 'columns'), dropped)}"
    )


PAGES = {
    "settings.md": settings,
    "commands.md": commands,
    "outputs.md": outputs,
    "json.md": printed,
    "errors.md": errors,
    "cvat-lines.md": cvat_lines,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` name those that are stale; exit code 1 when there are any."""
    stale = []
    for name, make in PAGES.items():
        path, text = FOLDER / name, HEAD + make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if arguments != ["--check"]:
                path.write_text(text, encoding="utf-8")
    if stale and arguments == ["--check"]:
        sys.stderr.write(f"docs/reference: {', '.join(stale)} not as the code says: run `make docs`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

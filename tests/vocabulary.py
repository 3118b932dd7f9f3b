"""The words that the project no longer uses, each with the field's term.

``python -m tests.vocabulary [FOLDER ...]`` lists every use in the folders (default: the whole project).
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUFFIXES = {".py", ".md", ".go", ".sh", ".toml", ".yaml", ".yml", ".service", ".conf"}

PROSE = {
    "wish(es|ed)?": "setting, spec or configuration",
    "told": "say which program reports what",
    "whoever": "name the role: the user, the administrator",
    "elsewhere": "name the place",
    "beside": "next to, in addition to",
    "tak(e|es|en|ing) up": "reuse",
    "took up": "reused",
    "let in": "allow, sign in",
    "rooms?": "package, module",
    "went away": "exited",
    "hurr(y|ies|ied)": "refresh now",
    "strays?": "orphaned resource",
    "troubles?": "error",
    "niceness": "I/O throttle",
}
"""Wrong in any text, and as a part of any identifier: a regular expression and the term to use."""

IDENTIFIERS = {
    # settings, flags and keys
    "annotator_group": "default_role",
    "keep_days": "retention_days",
    "every_hours": "interval_hours",
    "full_every_days": "full_interval_days",
    "drill_every_days": "drill_interval_days",
    "admin_cidrs": "ssh_cidrs",
    "admin_key": "ssh_public_key",
    "take_up": "reuse_data",
    # functions
    "settle": "create_context",
    "judged": "to_checks",
    "becoming": "drop_privileges",
    "rests": "is_idle",
    "sweep": "remove_leftovers",
    # classes
    "Place": "DockerContext, ScalewayContext",
    "Built": "Deployment",
    "Left": "RetainedData",
    "Choice": "RestorePoint",
    "Archived": "PgBackRestBackups",
    "OnServer": "RemoteBackups",
    "WentAwayError": "ContainerExitedError",
    "Watch": "StatusPoller",
    # modules
    "packaged": "provider",
    "bootstrap": "readiness",
    "rehearsal": "upgrade_test",
}
"""Wrong as a whole identifier of Python; the word itself may be used in prose."""

EXCEPTIONS = (Path(__file__), ROOT / "tests" / "unit" / "test_vocabulary.py")
"""The list itself, and the test of it."""

_PROSE = [
    (re.compile(rf"(?<![A-Za-z])({word})(?![a-z])", re.IGNORECASE), term) for word, term in PROSE.items()
]


def uses(folder: str) -> list[str]:
    """Each use of an old word under ``folder``, as ``path:line: word (use: term)``."""
    return [
        f"{file.relative_to(ROOT)}:{line}: {word} (use: {term})"
        for file in _files(ROOT / folder)
        for line, word, term in _uses_in(file)
    ]


def _files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return [file for file in files if file.suffix in SUFFIXES and file not in EXCEPTIONS and _is_source(file)]


def _is_source(file: Path) -> bool:
    inside = file.relative_to(ROOT).parts
    return file.is_file() and not any(part[0] == "." or part == "__pycache__" for part in inside[:-1])


def _uses_in(file: Path) -> Iterator[tuple[int, str, str]]:
    text = file.read_text()
    for number, line in enumerate(text.splitlines(), 1):
        for word, term in _PROSE:
            for match in word.finditer(line):
                yield number, match.group(), term
    if file.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and token.string in IDENTIFIERS:
                yield token.start[0], token.string, IDENTIFIERS[token.string]


def main() -> int:
    """Print the uses; 1 when there are any."""
    found = [use for folder in sys.argv[1:] or [""] for use in uses(folder)]
    print(*found, sep="\n")  # noqa: T201
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())

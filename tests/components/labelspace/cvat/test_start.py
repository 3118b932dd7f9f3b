"""The function that answers for django-admin in CVAT's entrypoint, over programs that say their words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from labelspace.cvat import files

PROGRAM = """\
#!/bin/sh
echo "{name} $*"
exit {code}
"""


Said = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def said(tmp_path: Path) -> Said:
    """Runs lines of an entrypoint after the script; ``note`` is what ``init.py await`` finds."""
    (tmp_path / "start.sh").write_text(files.script("start.sh"))

    def run(lines: str, *, note: bool = True, django: int = 0, **environment: str) -> tuple[int, list[str]]:
        for name, code in (("python3", 0 if note else 1), ("django-admin", django)):
            (tmp_path / name).write_text(PROGRAM.format(name=name, code=code))
            (tmp_path / name).chmod(0o755)
        path = os.pathsep.join((str(tmp_path), "/usr/bin", "/bin"))
        done = subprocess.run(
            ["bash", "-euc", f". {tmp_path}/start.sh\n{lines}"],
            env={"PATH": path, "TMPDIR": str(tmp_path), **environment},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.splitlines()

    return run


CHECKS = """\
while ! django-admin migrate --check; do exit 3; done
while ! django-admin migrateredis --check; do exit 4; done
"""


def test_a_note_answers_both_checks_and_django_is_not_started(said: Said) -> None:
    assert said(CHECKS) == (0, ["python3 /opt/labelspace/init.py await"])


@pytest.mark.parametrize(("django", "code"), [(0, 0), (1, 3)])
def test_without_a_note_django_decides(said: Said, django: int, code: int) -> None:
    ended, lines = said(CHECKS, note=False, django=django)
    assert ended == code
    assert lines[:2] == ["python3 /opt/labelspace/init.py await", "django-admin migrate --check"]


def test_what_is_not_known_goes_to_django(said: Said) -> None:
    assert said("django-admin migrate", django=7) == (7, ["django-admin migrate"])


def test_static_files_are_gathered_once_beside_the_rest(said: Said) -> None:
    for expected in (["django-admin collectstatic --no-input"], []):
        assert said("django-admin collectstatic --no-input\nwait") == (0, expected)


@pytest.mark.parametrize("code", [0, 1])
def test_inside_of_init_one_process_is_asked_and_its_code_is_the_answer(
    said: Said, tmp_path: Path, code: int
) -> None:
    for pipe in ("ask", "answer"):
        os.mkfifo(tmp_path / pipe)
    serve = f"(read -r words <{tmp_path}/ask; echo asked $words; echo {code} >{tmp_path}/answer) &"
    ended, lines = said(f"{serve}\ndjango-admin migrate", LABELSPACE_DJANGO=str(tmp_path))
    assert (ended, lines) == (code, ["asked migrate"])

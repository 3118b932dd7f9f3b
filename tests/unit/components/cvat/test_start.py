"""The function that answers for django-admin in CVAT's entrypoint, over programs that say their words."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from labelspace.cvat import config_files

PROGRAM = """\
#!/bin/sh
echo "{name} $*"
exit {code}
"""


Said = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def said(tmp_path: Path) -> Said:
    """Runs lines of an entrypoint after the script; ``note`` is the exit code of ``migrate.py``.

    ``known``: where the entrypoint's digest is known.
    """
    (tmp_path / "start.sh").write_text(config_files.container_file("start.sh"))
    entrypoint = tmp_path / "entrypoint.sh"
    entrypoint.write_text("an entrypoint of CVAT")
    digest = hashlib.sha256(entrypoint.read_bytes()).hexdigest()
    mark = tmp_path / "entrypoint.sh.labelspace"

    def run(
        lines: str, *, note: int = 0, django: int = 0, known: str = "line", **environment: str
    ) -> tuple[int, list[str]]:
        environment["LABELSPACE_ENTRYPOINT"] = str(entrypoint)
        environment["LABELSPACE_ENTRYPOINTS"] = f"{'0' * 64} {digest}" if known == "line" else "0" * 64
        mark.write_text(digest if known == "image" else "another digest")
        for name, code in (("python3", note), ("django-admin", django)):
            (tmp_path / name).write_text(PROGRAM.format(name=name, code=code))
            (tmp_path / name).chmod(0o755)
        path = os.pathsep.join((str(tmp_path), "/usr/bin", "/bin"))
        done = subprocess.run(
            ["bash", "-euc", f". {tmp_path}/start.sh\n{lines}"],
            env={"PATH": path, **environment},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.splitlines()

    return run


CHECKS = """\
while ! django-admin migrate --check; do exit 3; done
while ! django-admin migrateredis --check; do exit 4; done
"""


@pytest.mark.parametrize("known", ["line", "image"])
def test_a_note_answers_both_checks_and_django_is_not_started(said: Said, known: str) -> None:
    assert said(CHECKS, known=known) == (0, ["python3 /opt/labelspace/migrate.py await"])


def test_an_unknown_entrypoint_works_as_cvat_made_it(said: Said) -> None:
    assert said(f"{CHECKS}django-admin collectstatic --no-input", known="nowhere") == (
        0,
        [
            "python3 /opt/labelspace/migrate.py check",
            "django-admin migrate --check",
            "django-admin migrateredis --check",
            "django-admin collectstatic --no-input",
        ],
    )


def test_an_unknown_entrypoint_does_not_start_over_lost_files(said: Said) -> None:
    assert said(CHECKS, note=4, known="nowhere") == (4, ["python3 /opt/labelspace/migrate.py check"])


@pytest.mark.parametrize(("django", "code"), [(0, 0), (1, 3)])
def test_without_a_note_django_decides(said: Said, django: int, code: int) -> None:
    ended, lines = said(CHECKS, note=1, django=django)
    assert ended == code
    assert lines[:2] == ["python3 /opt/labelspace/migrate.py await", "django-admin migrate --check"]


def test_lost_files_of_cvat_end_the_entrypoint_and_django_is_not_started(said: Said) -> None:
    assert said(CHECKS, note=4) == (4, ["python3 /opt/labelspace/migrate.py await"])


def test_what_is_not_known_goes_to_django(said: Said) -> None:
    assert said("django-admin migrate", django=7) == (7, ["django-admin migrate"])


COLLECT = "django-admin collectstatic --no-input\nwait"
GATHERED = ["django-admin collectstatic --no-input"]


def _container(path: Path, number: int) -> dict[str, str]:
    """The environment of another container over the same volume of logs."""
    own = path / str(number)
    (own / "static").mkdir(parents=True)
    (path / "logs").mkdir(exist_ok=True)
    return {
        "TMPDIR": str(own),
        "LABELSPACE_STATIC": str(own / "static"),
        "LABELSPACE_LOGS": str(path / "logs"),
    }


def test_static_files_are_gathered_once_next_to_the_rest(said: Said, tmp_path: Path) -> None:
    place = _container(tmp_path, 1)
    for expected in (GATHERED, []):
        assert said(COLLECT, LABELSPACE_CVAT="2.73.0", **place) == (0, expected)


def test_the_next_container_of_the_version_takes_what_was_gathered(said: Said, tmp_path: Path) -> None:
    first, second = _container(tmp_path, 1), _container(tmp_path, 2)
    (tmp_path / "1" / "static" / "base.css").write_text("gathered")
    assert said(COLLECT, LABELSPACE_CVAT="2.73.0", **first) == (0, GATHERED)
    assert said(COLLECT, LABELSPACE_CVAT="2.73.0", **second) == (0, [])
    assert (tmp_path / "2" / "static" / "base.css").read_text() == "gathered"


def test_another_version_and_a_torn_file_are_gathered_anew(said: Said, tmp_path: Path) -> None:
    places = [_container(tmp_path, number) for number in (1, 2, 3)]
    for version, place in zip(("2.73.0", "2.73.1"), places, strict=False):
        assert said(COLLECT, LABELSPACE_CVAT=version, **place) == (0, GATHERED)
    kept = list((tmp_path / "logs").iterdir())
    assert [path.name for path in kept] == ["labelspace-static-2.73.1.tar"]
    kept[0].write_bytes(b"torn")
    assert said(COLLECT, LABELSPACE_CVAT="2.73.1", **places[2]) == (0, GATHERED)


def test_what_could_not_be_gathered_is_not_kept(said: Said, tmp_path: Path) -> None:
    place = _container(tmp_path, 1)
    for _ in range(2):
        assert said(COLLECT, LABELSPACE_CVAT="2.73.0", django=1, **place)[1] == GATHERED
    assert list((tmp_path / "logs").iterdir()) == []


@pytest.mark.parametrize("code", [0, 1])
def test_inside_of_init_one_process_is_asked_and_its_code_is_the_answer(
    said: Said, tmp_path: Path, code: int
) -> None:
    for pipe in ("ask", "answer"):
        os.mkfifo(tmp_path / pipe)
    serve = f"(read -r words <{tmp_path}/ask; echo asked $words; echo {code} >{tmp_path}/answer) &"
    ended, lines = said(f"{serve}\ndjango-admin migrate", LABELSPACE_DJANGO=str(tmp_path))
    assert (ended, lines) == (code, ["asked migrate"])

"""The lines of CVAT: their files, the default, the way of an upgrade, and that nothing else names a line."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from pathlib import Path

import pytest
from testbed import contract_run
from tests import paths

from labelspace import cvat_lines as lines
from labelspace.cvat import services
from labelspace.spec import DEFAULT_CVAT, SpecError, parse_spec

NAMES_A_LINE = re.compile(r"(?<![\d.])2\.(7[3-9]|8\d)(?!\d)")
TEXTS = {".py", ".sh", ".toml", ".yaml", ".yml", ".html", ".j2", ".conf", ""}


def test_nothing_but_the_files_of_lines_names_a_line() -> None:
    files = [
        path
        for root in ("components", "stacks")
        for path in sorted((paths.ROOT / root).rglob("*"))
        if path.is_file() and path.suffix in TEXTS and path.parent.name != "cvat_lines"
    ]
    assert len(files) > 100
    naming = [str(path) for path in files if NAMES_A_LINE.search(path.read_text(errors="replace"))]
    assert naming == []


def test_the_lines_follow_each_other_without_a_gap() -> None:
    minors = [lines.order(line.name)[1] for line in lines.all_lines()]
    assert minors == list(range(minors[0], minors[0] + len(minors)))
    assert all(lines.name_of(line.newest) == line.name for line in lines.all_lines())


@pytest.mark.parametrize("line", lines.all_lines(), ids=lambda line: line.name)
def test_a_line_is_complete(line: lines.Line) -> None:
    assert {"redis", "kvrocks", "opa"} <= line.images.keys()
    assert {"import", "export", "webhooks"} <= set(line.scheduled) <= set(line.queues)
    assert set(line.reads) >= {"auth_user", "engine_labeledshape", "django_migrations"}
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in line.entrypoints)
    assert line.tested or line.unknown
    minor = lines.order(line.name)[1]
    assert f"<2.{minor + 1}" in line.sdk


def test_what_a_line_says_of_itself_is_not_taken_over() -> None:
    later = lines.line_of("2.75.0")
    assert later.drops == lines.Drops()
    assert later.entrypoints == ()
    assert later.queues == lines.line_of("2.73.0").queues


def test_the_default_is_the_newest_line_that_was_run() -> None:
    assert lines.line_of(DEFAULT_CVAT).tested
    later = [line for line in lines.all_lines() if lines.order(line.newest) > lines.order(DEFAULT_CVAT)]
    assert not [line.name for line in later if line.tested]


def test_an_unknown_later_line_is_like_the_newest_and_untested() -> None:
    unknown, newest = lines.line_of("3.2.1"), lines.all_lines()[-1]
    assert (unknown.name, unknown.newest, unknown.state, unknown.tested) == ("3.2", "3.2.1", "unread", False)
    assert (unknown.queues, unknown.job_types, unknown.drops) == (
        newest.queues,
        newest.job_types,
        lines.Drops(),
    )


def test_an_untested_version_runs_where_it_is_allowed() -> None:
    values = {"name": "w", "buckets": [{"name": "one"}], "allow_untested_cvat": True}
    for version in ("2.76.0", "3.1.0"):
        assert parse_spec({**values, "cvat_version": version}).cvat_version == version


def test_what_is_removed_on_purpose_adds_up_over_the_lines_that_are_passed() -> None:
    assert lines.removed_on_purpose("2.73.0", "2.73.1") == lines.Drops()
    assert "quality_control_qualitysettings" in lines.removed_on_purpose("2.73.0", "2.76.0").columns
    assert lines.removed_on_purpose("2.76.0", "2.80.0").columns == {"engine_task": ("consensus_replicas",)}


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        ("2.73.0", "2.80.0", ("2.80.0",)),
        ("2.22.0", "2.80.0", ("2.80.0",)),
        ("2.21.3", "2.80.0", ("2.73.0", "2.80.0")),
        ("2.73.0", "2.73.4", ("2.73.4",)),
    ],
)
def test_the_way_of_an_upgrade_has_the_stops_that_its_lines_need(
    old: str, new: str, way: tuple[str, ...]
) -> None:
    assert lines.stops(old, new) == way


def test_a_line_that_nothing_leads_to_is_refused() -> None:
    needy = lines.line_of("2.76.0").model_copy(
        update={"least_from": lines.LeastFrom(version="2.75", app="other")}
    )
    with pytest.raises(ValueError, match="no line leads"):
        lines.stops("2.73.0", "2.76.0", (needy,))


def test_the_file_of_a_line_is_part_of_the_package() -> None:
    folder = Path(str(lines.__file__)).parent
    assert {path.stem for path in folder.glob("*.toml")} == {line.name for line in lines.all_lines()}


LINE_2_81 = """\
like = "2.80"
newest = "2.81.0"
state = "read"
date = 2026-12-01
source = "an invented release"
unknown = "everything"
sdk = ">=2.80,<2.82"
queues = ["cleaning", "import", "export", "annotation", "webhooks", "quality_reports", "embeddings"]
news = ["embeddings have a queue, consensus has none"]

[drops]
tables = ["consensus_consensussettings"]
"""


def test_a_new_line_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/contributing/cvat-lines.md says: nothing else changes."""
    for file in Path(str(lines.__file__)).parent.glob("*.toml"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "2.81.toml").write_text(LINE_2_81)
    known = lines.load(tmp_path)
    monkeypatch.setattr(lines, "all_lines", lambda: known)
    added = lines.line_of("2.81.0")
    assert ("embeddings" in added.queues, added.health) == (True, lines.line_of("2.80.0").health)
    assert lines.removed_on_purpose("2.80.0", "2.81.0").tables == ("consensus_consensussettings",)
    worker = services.services(
        services.Settings(
            size="small",
            registration="open",
            default_role="worker",
            hosts=(),
            admin_username="admin",
            admin_email="a@b.c",
            secrets=services.Secrets(database="db", redis="r", cache="c", django="d", admin="a"),
            version="2.81.0",
        )
    )["worker"]
    assert "embeddings" in worker.command
    assert "consensus" not in worker.command
    with pytest.raises(SpecError, match=r"CVAT 2\.81 is untested"):
        parse_spec({"name": "w", "buckets": [{"name": "one"}], "cvat_version": "2.81.0"})
    assert lines.default_version() == DEFAULT_CVAT


def test_the_result_of_the_contract_goes_into_the_file_of_the_line(tmp_path: Path) -> None:
    file = tmp_path / "2.81.toml"
    file.write_text(LINE_2_81)
    today = dt.date(2026, 12, 3)
    for digest in ("b" * 64, "a" * 64):
        contract_run.record(file, state="proven", version="2.81.1", digest=digest, today=today)
    values = tomllib.loads(file.read_text())
    assert (values["state"], values["date"], values["newest"]) == ("proven", today, "2.81.1")
    assert values["entrypoints"] == ["a" * 64, "b" * 64]
    assert values["drops"] == {"tables": ["consensus_consensussettings"]}

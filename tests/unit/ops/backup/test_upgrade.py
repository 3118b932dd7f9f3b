"""What a rehearsal compares, and which upgrades are refused before one."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from labelspace.cvat_lines import Drops
from labelspace_ops.backup import copy_server, upgrade, upgrade_test
from labelspace_ops.backup.copy_server import Observed
from labelspace_ops.backup.models import Rehearsal
from labelspace_ops.core.errors import OpsError, UsageError


def _counts(columns: dict[str, list[str]]) -> upgrade_test.Counts:
    return upgrade_test.Counts({"public.full": 2, "public.empty": 0}, {}, columns)


BEFORE = _counts({"public.full": ["id", "kept", "gone"], "public.empty": ["id", "gone"]})
AFTER = _counts({"public.full": ["id", "kept", "new"], "public.empty": ["id"]})


def test_a_dropped_column_with_rows_must_be_named_by_the_line() -> None:
    declared = Drops(columns={"full": ("gone", "other")})
    assert upgrade_test._check_columns(BEFORE, AFTER, declared) == ["full.gone"]
    with pytest.raises(OpsError, match=r"does not name: full\.gone$"):
        upgrade_test._check_columns(BEFORE, AFTER, Drops())
    assert upgrade_test._check_columns(BEFORE, BEFORE, Drops()) == []


def test_a_table_that_is_removed_on_purpose_is_no_loss() -> None:
    counts = upgrade_test.Counts({}, {"public.old": 4})
    upgrade_test._check_rows(counts, Drops(tables=("old",)))
    with pytest.raises(OpsError, match=r"public\.old: the table is gone instead of 4"):
        upgrade_test._check_rows(counts, Drops())


def _observed(**content: list[object]) -> Observed:
    return Observed(7, 3, content)


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (_observed(shapes=[2, "a"], labels=[1, "b"]), []),
        (_observed(shapes=[1, "c"], labels=[1, "b"]), ["shapes of task 3: 1 instead of 2"]),
        (
            _observed(shapes=[2, "a"], labels=[1, "z"]),
            ["labels of task 3: 1 instead of 1, with other values"],
        ),
    ],
)
def test_what_a_later_version_shows_otherwise_is_said(later: Observed, said: list[str]) -> None:
    assert _observed(shapes=[2, "a"], labels=[1, "b"]).differences(later) == said


def test_the_reason_of_a_copy_that_is_not_served_is_passed_on() -> None:
    answer = '{"health": 7, "task": null, "content": {}}'
    assert copy_server._parse(f"noise\n{answer}") == Observed(health=7, task=None, content={})
    with pytest.raises(OpsError, match="does not serve the copy: OPAHealthCheck: no answer"):
        copy_server._parse('{"failed": "OPAHealthCheck: no answer"}')
    with pytest.raises(OpsError, match="does not serve the copy: Killed"):
        copy_server._parse("Killed\n")


@pytest.mark.parametrize(
    ("latest", "version", "refused"),
    [
        ({"engine": "0090_x"}, "2.74.0", True),
        ({"engine": "0090_x", "iam": "0001_x"}, "2.74.0", False),
        ({"engine": "0090_x"}, "2.73.0", False),
        ({}, "2.74.0", False),
    ],
)
def test_a_database_that_is_too_old_for_a_line_is_refused(
    latest: dict[str, str], version: str, refused: bool
) -> None:
    if not refused:
        return upgrade_test.refuse_too_old(latest, version)
    with pytest.raises(UsageError, match=r"does not migrate a database .* use 2\.73\.0 first"):
        upgrade_test.refuse_too_old(latest, version)
    return None


def test_a_stop_on_the_way_is_not_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade.refuse_skipped_stop("pets", "2.80.0", "2.73.0")
    monkeypatch.setattr(upgrade, "stops", lambda old, new: ("2.76.0", new))
    with pytest.raises(UsageError, match=r"from 2\.73\.0 by 2\.76\.0: run `labelspace upgrade pets"):
        upgrade.refuse_skipped_stop("pets", "2.80.0", "2.73.0")


def test_going_back_is_said_to_be_a_restore() -> None:
    with pytest.raises(UsageError, match="going back is a restore"):
        upgrade.refuse_older("2.73.0", "2.76.0")
    assert "--from-backup B --cvat-version 2.73.0" in upgrade.restore_later("pets", "2.73.0", "B")


def test_a_rehearsal_is_one_sentence() -> None:
    values: dict[str, Any] = {"backup": "B", "version": "2.76.0", "seconds": 61.2, "rows": 9, "tables": 3}
    done = Rehearsal(**values, dropped=["t.c"], health=7, task=3, compared={"shapes": 2, "tags": 0})
    assert done.sentence == (
        "migrated and served, and no row of B is missing; task 3 is the same before and after (2 shapes);"
        " dropped on purpose: 1 columns"
    )


SHOWN = Observed(7, 3, {"labels": [1, "l"], "shapes": [2, "s"], "export": [3, "e"]})


class Rehearsed:
    """Rehearses with a copy and servers that are made up; ``looks`` are the versions that served the copy."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, tasks: int = 1, after: Observed = SHOWN) -> None:
        self.looks: list[tuple[str, int | None]] = []
        counted = {"public.engine_task": tasks, "public.quality_control_qualitysettings": 1}
        columns = {
            "public.quality_control_qualitysettings": ["id", "oks_sigma"],
            "public.engine_task": ["id"],
        }
        before = upgrade_test.Counts(counted, counted, columns)
        later = {**columns, "public.quality_control_qualitysettings": ["id"]}
        counts = iter([before, upgrade_test.Counts(counted, counted, later)])
        outer, copy = self, copy_server.Copy("net", "copy", "password")

        class Server:
            def __init__(self, runtime: Any, copy: Any) -> None:
                pass

            def observe(self, version: str, task: int | None = None) -> Observed:
                outer.looks.append((version, task))
                return SHOWN if version == "2.73.0" else after

        monkeypatch.setattr(upgrade_test, "CopyServer", Server)
        monkeypatch.setattr(upgrade_test, "_copy", lambda *_: nullcontext(copy))
        monkeypatch.setattr(upgrade_test, "_count", lambda *_: next(counts))
        monkeypatch.setattr(upgrade_test, "_migrate", lambda *_: None)
        monkeypatch.setattr(upgrade_test, "_require_images", lambda *_: "cvat/server")

    def run(self, old: str = "2.73.0") -> Rehearsal:
        source: Any = SimpleNamespace(workspace="pets")
        return upgrade_test.rehearse(source, source, "B", "2.76.0", old)


def test_a_rehearsal_compares_the_same_task_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Rehearsed(monkeypatch)
    done = made.run()
    assert made.looks == [("2.73.0", None), ("2.76.0", 3)]
    assert done.compared == {"labels": 1, "shapes": 2, "export": 3}
    assert done.dropped == ["quality_control_qualitysettings.oks_sigma"]
    assert (done.rows, done.tables, done.health) == (2, 2, 7)


def test_annotations_that_change_end_the_upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Observed(7, 3, {**SHOWN.content, "shapes": [1, "x"]})
    with pytest.raises(OpsError, match="would change annotations: shapes of task 3: 1 instead of 2"):
        Rehearsed(monkeypatch, after=other).run()


@pytest.mark.parametrize(("tasks", "old"), [(0, "2.73.0"), (1, "")])
def test_without_a_task_or_an_old_version_only_the_new_one_serves_the_copy(
    monkeypatch: pytest.MonkeyPatch, tasks: int, old: str
) -> None:
    made = Rehearsed(monkeypatch, tasks=tasks)
    assert made.run(old).compared == {}
    assert made.looks == [("2.76.0", None)]

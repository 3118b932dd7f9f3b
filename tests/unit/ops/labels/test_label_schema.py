"""The public components of labels and annotators: their arguments, and what they declare."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from tests.unit.components.test_options import Declared, Options, declared

from labelspace import Annotators, LabelSchema, SpecError, Workspace
from labelspace_ops.labels import args, cvat_project, model
from labelspace_ops.projects import annotators, cvat_annotators

LABELS = [{"name": "car", "type": "rectangle"}, {"name": "person", "renamed_from": "pedestrian"}]
PAIRS: list[tuple[Any, Any]] = [
    (args.AttributeArgs, model.Attribute),
    (args.PointArgs, model.Point),
    (args.LabelArgs, model.Label),
    (args.AuditAttributeArgs, model.AuditAttribute),
    (args.LabelSchemaArgs, model.Project),
    (args.AnnotatorArgs, model.Annotator),
]


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))


@pytest.mark.parametrize("pair", PAIRS, ids=[one.__name__ for one, _ in PAIRS])
def test_the_arguments_are_those_of_the_labels_file(pair: tuple[Any, Any]) -> None:
    block, kind = pair
    required = {name for name, field in kind.model_fields.items() if field.is_required()}
    if block is args.LabelSchemaArgs:
        required = (required - {"name"}) | {"workspace"}
    assert block.__annotations__.keys() - {"workspace"} == kind.model_fields.keys()
    assert {name for name, one in block.__annotations__.items() if "NotRequired" not in str(one)} == required


def _schema(**values: Any) -> Declared:
    def part(opts: Options) -> None:
        workspace = Workspace("street", buckets=[{"name": "one"}])
        LabelSchema("cars", opts, **{"workspace": workspace, "labels": LABELS, **values})

    return declared(part)


def test_a_project_of_cvat_is_a_child_of_the_schema() -> None:
    made = _schema()
    (project,) = [one for one in made.requests if one.type.endswith(":CvatProject")]
    assert "labelspace:index:LabelSchema" in project.parent
    assert project.object["project"] == "cars"
    assert {*project.object["labels"]} == {"car", "person"}
    assert project.object["renamed"]["person"] == "pedestrian"
    assert project.object["url"] == "http://127.0.0.1:8080"
    (top,) = [one for one in made.top if one.name == "cars"]
    assert top.object["labels"][0]["name"] == "car"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"labels": []}, "labels: none: list at least one"),
        ({"labels": [{"name": "car", "type": "box"}]}, "labels[car].type: 'box' is refused: choose one of"),
        ({"labels": [{"nam": "car"}]}, "an argument that does not exist"),
        (
            {"labels": LABELS, "audit": [{"name": "light", "kind": "mood", "values": ["a"]}]},
            "audit[light].kind",
        ),
        ({"workspace": None}, "workspace: missing: give the Workspace of this program"),
    ],
)
def test_a_refused_value_is_named(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError) as refused:
        _schema(**values)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("key", ["url", "username", "password"])
def test_a_preview_does_not_ask_cvat_with_a_value_that_is_not_known_yet(key: str) -> None:
    props = {"running": True, "url": "http://198.51.100.1", "username": "admin", "password": "entry"}
    news = {**props, key: pulumi.UNKNOWN, "project": "cars", "labels": {}, "renamed": {}, "annotators": []}
    assert cvat_project.Provider().check({}, news).failures == []
    assert not cvat_annotators.Provider().diff("annotators", news, news).changes


def test_annotators_are_declared_in_a_workspace() -> None:
    def part(opts: Options) -> None:
        workspace = Workspace("street", buckets=[{"name": "one"}])
        Annotators("team", opts, workspace=workspace, annotators=[{"email": "ann@example.org"}])

    (made,) = [one for one in declared(part).requests if one.type.endswith(":CvatAnnotators")]
    assert made.object["annotators"][0]["group"] == "worker"


def test_a_wrong_address_is_refused() -> None:
    def part(opts: Options) -> None:
        workspace = Workspace("street", buckets=[{"name": "one"}])
        Annotators("team", opts, workspace=workspace, annotators=[{"email": "ann"}])

    with pytest.raises(SpecError, match=r"annotators\[ann\]\.email: 'ann' is refused: give an address"):
        declared(part)


class Cvat:
    """CVAT with one task, whose job has nobody, and one account."""

    def __init__(self, *, group: str, assignee: Any = None) -> None:
        self.user = SimpleNamespace(
            id=1, email="Ann@example.org", username="ann", groups=(group,), is_superuser=False
        )
        self.job = SimpleNamespace(id=7, assignee=assignee)

    def users(self) -> list[Any]:
        return [self.user]

    def tasks(self, _project: int, *, name: str) -> list[Any]:
        return [SimpleNamespace(id=3, name=name)]

    def jobs(self, *, task_id: int) -> list[Any]:
        return [self.job] if task_id == 3 else []


@pytest.mark.parametrize(
    ("cvat", "signed_up", "expected"),
    [
        (Cvat(group="worker", assignee="somebody"), {"ann@example.org"}, False),
        (Cvat(group="worker"), {"ann@example.org"}, True),
        (Cvat(group="user", assignee="somebody"), {"ann@example.org"}, True),
        (Cvat(group="worker", assignee="somebody"), set(), True),
    ],
    ids=["nothing to do", "a job has nobody", "another group", "somebody signed up"],
)
def test_work_for_the_next_update_is_found(
    monkeypatch: pytest.MonkeyPatch, cvat: Any, signed_up: set[str], expected: bool
) -> None:
    monkeypatch.setattr(annotators, "find_project", lambda *_: SimpleNamespace(id=1))
    people = [{"email": "ann@example.org", "tasks": {"cars": ["night"]}}, {"email": "bob@example.org"}]
    file = model.LabelsFile.model_validate({"annotators": people})
    assert annotators.has_work(cvat, file, signed_up) is expected

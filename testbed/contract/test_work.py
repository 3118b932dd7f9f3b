"""Projects, labels, tasks, jobs, annotations and exports through cvat-sdk."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cvat_sdk import exceptions, models
from cvat_sdk.core.exceptions import BackgroundRequestException
from cvat_sdk.core.proxies.annotations import AnnotationUpdateAction
from cvat_sdk.core.proxies.tasks import ResourceType
from packaging.specifiers import SpecifierSet

from testbed.contract.people import Person
from testbed.contract.stack import LINE, Stack

FORMAT = "CVAT for images 1.1"
DOORS = {
    "name": "doors",
    "mutable": False,
    "input_type": "number",
    "default_value": "4",
    "values": ["0", "6", "1"],
}
KIND = {
    "name": "kind",
    "mutable": True,
    "input_type": "select",
    "default_value": "van",
    "values": ["van", "bus"],
}
RAIN = {
    "name": "rain",
    "mutable": True,
    "input_type": "checkbox",
    "default_value": "false",
    "values": ["false"],
}
LABELS = [
    {"name": "car", "type": "rectangle", "color": "#aa3355", "attributes": [DOORS, KIND]},
    {"name": "night", "type": "tag", "attributes": [RAIN]},
    {"name": "area"},
]


@pytest.fixture
def project(client: Any, unique: Callable[[str], str]) -> Any:
    return client.projects.create({"name": unique("project"), "labels": LABELS})


@pytest.fixture
def task(client: Any, project: Any) -> Any:
    """Three images in two jobs."""
    return client.tasks.create_from_data(
        spec={"name": "task", "project_id": project.id, "subset": "train", "segment_size": 2},
        resource_type=ResourceType.SHARE,
        resources=["street/"],
        data_params={"copy_data": False, "sorting_method": "lexicographical"},
    )


def labels_of(entity: Any) -> dict[str, Any]:
    return {label.name: label for label in entity.get_labels()}


def _spec(label: Any, name: str) -> int:
    return next(int(one.id) for one in label.attributes if one.name == name)


def test_the_sdk_takes_this_server_for_its_own(client: Any) -> None:
    """cvat_sdk/core/client.py, SUPPORTED_SERVER_VERSIONS."""
    installed = version("cvat-sdk")
    if installed not in SpecifierSet(LINE.sdk):
        pytest.skip(f"cvat-sdk {installed} is not of {LINE.name}: `make contract VERSION=...` takes another")
    client.check_server_version(fail_if_unsupported=True)


def test_a_project_keeps_its_labels_in_order(project: Any) -> None:
    """cvat/apps/engine/serializers.py, LabelSerializer."""
    found = project.get_labels()
    assert [(label.name, label.type) for label in found] == [
        ("car", "rectangle"), ("night", "tag"), ("area", "any"),
    ]  # fmt: skip
    assert found[0].color == "#aa3355"
    assert all(len(label.color) == 7 for label in found)
    doors = found[0].attributes[0]
    assert (doors.name, doors.mutable, doors.input_type.value) == ("doors", False, "number")
    assert (doors.default_value, doors.values) == ("4", ["0", "6", "1"])


SKELETON: dict[str, Any] = {
    "name": "body",
    "type": "skeleton",
    "sublabels": [
        {"name": "head", "type": "points", "attributes": []},
        {"name": "hip", "type": "points", "attributes": []},
    ],
    "svg": '<line x1="50" y1="10" x2="50" y2="60" data-type="edge" data-node-from="1" data-node-to="2">'
    "</line>"
    '<circle r="0.75" cx="50" cy="10" data-type="element node" data-element-id="1" data-node-id="1"'
    ' data-label-name="head"></circle>'
    '<circle r="0.75" cx="50" cy="60" data-type="element node" data-element-id="2" data-node-id="2"'
    ' data-label-name="hip"></circle>',
}


def test_a_skeleton_keeps_its_points_and_its_drawing_names_them_by_id(client: Any, project: Any) -> None:
    """LabelSerializer.create_labels and update_label: a PATCH adds a skeleton, and does not redraw one."""
    project.update({"labels": [SKELETON]})
    body = labels_of(project)["body"]
    assert [(point.name, point.type, point.has_parent) for point in body.sublabels] == [
        ("head", "points", True), ("hip", "points", True),
    ]  # fmt: skip
    expected = SKELETON["svg"]
    for point in body.sublabels:
        expected = expected.replace(f'data-label-name="{point.name}"', f'data-label-id="{point.id}"')
    assert body.svg == expected
    assert "head" not in labels_of(project), "the list of labels has no points"
    project.update({"labels": [{"id": body.id, "name": "man", "color": "#010203", "svg": "<line></line>"}]})
    man = labels_of(project)["man"]
    assert (man.id, man.svg, man.color) == (body.id, expected, "#010203")
    assert [point.id for point in man.sublabels] == [point.id for point in body.sublabels]


def test_nothing_becomes_a_skeleton_and_a_skeleton_becomes_nothing_else(project: Any) -> None:
    """LabelSerializer.update_label: such a change of type is left out without an error."""
    project.update({"labels": [SKELETON]})
    before = labels_of(project)
    project.update(
        {
            "labels": [
                {"id": before["body"].id, "type": "polygon"},
                {"id": before["car"].id, "type": "skeleton"},
            ]
        }
    )
    after = labels_of(project)
    assert (after["body"].type, after["car"].type) == ("skeleton", "rectangle")
    project.update({"labels": [{"id": before["body"].id, "deleted": True}]})
    assert "body" not in labels_of(project)


def test_labels_change_by_id_and_by_name(client: Any, project: Any) -> None:
    """LabelSerializer.update_label: only a new attribute is named, the others stay; ``deleted`` removes."""
    before = labels_of(project)
    wheel = {"name": "wheels", "mutable": False, "input_type": "text", "default_value": "", "values": []}
    project.update(
        {
            "labels": [
                {"name": "person", "attributes": []},
                {"id": before["car"].id, "attributes": [wheel]},
                {"id": before["area"].id, "deleted": True},
            ]
        }
    )
    after = labels_of(project)
    assert list(after) == ["car", "night", "person"]
    assert [one.name for one in after["car"].attributes] == ["doors", "kind", "wheels"]
    assert after["car"].id == before["car"].id


@pytest.mark.parametrize(
    "change",
    [
        {"name": "kind", "values": ["van"]},
        {"name": "kind", "input_type": "text"},
        {"name": "kind", "default_value": "plane"},
        {"name": "doors", "values": ["0", "9", "1"]},
    ],
)
def test_a_change_that_would_spoil_annotations_is_refused(project: Any, change: dict[str, Any]) -> None:
    """LabelSerializer._update_attribute."""
    car = labels_of(project)["car"]
    whole = {**{"kind": KIND, "doors": DOORS}[change["name"]], **change, "id": _spec(car, change["name"])}
    with pytest.raises(exceptions.ApiException) as refused:
        project.update({"labels": [{"id": car.id, "attributes": [whole]}]})
    assert refused.value.status == 400
    assert [one.name for one in labels_of(project)["car"].attributes] == ["doors", "kind"]


def test_a_label_comes_once(client: Any, unique: Callable[[str], str]) -> None:
    with pytest.raises(exceptions.ApiException) as refused:
        client.projects.create({"name": unique("project"), "labels": [{"name": "a"}, {"name": "a"}]})
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "label",
    [
        {"name": "x" * 65},
        {"name": "  "},
        {"name": "x", "attributes": [{**KIND, "name": "x" * 65}]},
        {"name": "x", "attributes": [{**KIND, "default_value": "x" * 129}]},
        {"name": "x", "attributes": [{**KIND, "values": ["x" * 201]}]},
    ],
)
def test_names_and_values_have_a_length(admin: Person, unique: Callable[[str], str], label: Any) -> None:
    """cvat/apps/engine/models.py, Label and AttributeSpec; AttributeSerializer.values."""
    name = unique("lengths")
    assert admin.post("/projects", {"name": name, "labels": [label]}).status_code == 400
    assert admin.get("/projects", name=name).json()["count"] == 0


def test_projects_are_listed_found_and_filtered(client: Any, project: Any) -> None:
    """cvat/apps/engine/filters.py."""
    assert [one.id for one in client.projects.list(name=project.name)] == [project.id]
    assert [one.id for one in client.projects.list(search=project.name)] == [project.id]
    rule = json.dumps({"and": [{"==": [{"var": "name"}, project.name]}]})
    assert [one.id for one in client.projects.list(filter=rule)] == [project.id]
    assert project.id in {one.id for one in client.projects.list()}
    assert client.projects.retrieve(project.id).name == project.name


def test_a_list_comes_in_pages_of_ten(admin: Person) -> None:
    """cvat/apps/engine/pagination.py."""
    for number in range(11):
        assert admin.post("/projects", {"name": f"page {number}"}).status_code == 201
    page = admin.get("/projects").json()
    assert len(page["results"]) == 10
    assert page["count"] >= 11
    assert admin.http.get(page["next"]).status_code == 200


def test_a_task_of_a_folder_takes_its_images_and_drops_the_rest(task: Any) -> None:
    """cvat/apps/engine/task.py, media_extractors.py: the text file is in the share's list alone."""
    assert [frame.name for frame in task.get_frames_info()] == [
        "street/a.png", "street/b c.jpg", "street/größe/c.png",
    ]  # fmt: skip
    assert (task.size, task.mode, task.subset, task.segment_size) == (3, "annotation", "train", 2)


def test_a_task_is_cut_into_jobs(task: Any, project: Any) -> None:
    """cvat/apps/engine/task.py, segments."""
    jobs = sorted(task.get_jobs(), key=lambda job: job.start_frame)
    assert [(job.start_frame, job.stop_frame, job.state, job.stage) for job in jobs] == [
        (0, 1, "new", "annotation"),
        (2, 2, "new", "annotation"),
    ]
    assert {job.task_id for job in jobs} == {task.id}
    assert {job.project_id for job in jobs} == {project.id}


def test_a_frame_is_served(task: Any) -> None:
    """Through the chunks worker and the share."""
    assert task.get_frame(0, quality="original").getvalue()[:8] == b"\x89PNG\r\n\x1a\n"
    assert task.get_frame(2).getvalue()


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        (["texts/"], "No image found"),
        (["texts/only.txt"], "No media data found"),
        (["broken/x.jpg"], "x.jpg"),
        (["gone.png"], "gone.png"),
    ],
)
def test_a_task_without_usable_files_fails_and_stays_empty(
    client: Any, resources: list[str], reason: str
) -> None:
    """POST /api/tasks/N/data is 202 whatever comes; only the request tells."""
    made = client.tasks.create({"name": "unusable", "labels": [{"name": "x"}]})
    with pytest.raises(BackgroundRequestException, match=reason):
        made.upload_data(resources, resource_type=ResourceType.SHARE)
    assert made.fetch().get_jobs() == []


@pytest.mark.parametrize("path", ["/street/", "./street", "street/../street", "street//a.png"])
def test_paths_of_the_share_are_relative_and_plain(admin: Person, path: str) -> None:
    """cvat/apps/engine/serializers.py, CanonicalRelativePathValidator (since 2.65)."""
    number = admin.post("/tasks", {"name": "paths", "labels": [{"name": "x"}]}).json()["id"]
    answer = admin.post(f"/tasks/{number}/data", {"server_files": [path], "image_quality": 70})
    assert answer.status_code == 400


def test_a_job_is_assigned_and_then_seen(client: Any, task: Any, annotator: Person) -> None:
    """cvat/apps/engine/rules/jobs.rego: the assignee of a job sees that job and not the task."""
    job = task.get_jobs()[0]
    assert annotator.get(f"/jobs/{job.id}").status_code == 403
    job.update({"assignee": annotator.me()["id"]})
    assert job.assignee.username == annotator.me()["username"]
    assert [row["id"] for row in annotator.get("/jobs").json()["results"]] == [job.id]
    assert annotator.get("/tasks").json()["results"] == []
    assert annotator.get(f"/tasks/{task.id}").status_code == 403
    assert annotator.get(f"/jobs/{job.id}/annotations").status_code == 200
    assert annotator.patch(f"/jobs/{job.id}", {"state": "completed"}).status_code == 200
    assert annotator.patch(f"/jobs/{job.id}", {"stage": "acceptance"}).status_code == 403
    assert annotator.get("/requests").status_code == 200


def test_a_job_moves_through_its_stages(task: Any) -> None:
    """JobWriteSerializer: a new stage starts as new."""
    job = task.get_jobs()[0]
    job.update({"state": "completed"})
    assert (job.state, job.stage) == ("completed", "annotation")
    job.update({"stage": "acceptance"})
    assert (job.state, job.stage) == ("new", "acceptance")
    job.update({"stage": "acceptance", "state": "completed"})
    assert (job.state, job.status) == ("completed", "completed")


def annotate(task: Any) -> tuple[Any, Any]:
    """A tag on frame 0 and a box on frame 2, which lies in the second job."""
    labels = labels_of(task)
    value = models.AttributeValRequest(spec_id=_spec(labels["car"], "doors"), value="2")
    box = models.LabeledShapeRequest(
        frame=2,
        label_id=labels["car"].id,
        type="rectangle",
        points=[1.0, 2.0, 30.5, 40.25],
        attributes=[value],
    )
    tag = models.LabeledImageRequest(frame=0, label_id=labels["night"].id)
    task.set_annotations(models.LabeledDataRequest(tags=[tag], shapes=[box]))
    return labels["car"], labels["night"]


def _values(annotation: Any) -> dict[int, str]:
    return {int(one.spec_id): str(one.value) for one in annotation.attributes}


def test_annotations_are_kept_and_split_among_jobs(stack: Stack, task: Any) -> None:
    """cvat/apps/dataset_manager/task.py: what has no value shows the default."""
    car, night = annotate(task)
    found = task.get_annotations()
    assert [(tag.frame, tag.label_id) for tag in found.tags] == [(0, night.id)]
    assert _values(found.tags[0]) == {_spec(night, "rain"): "false"}
    [box] = found.shapes
    assert (box.frame, box.label_id, box.type.value, box.points) == (
        2,
        car.id,
        "rectangle",
        [1.0, 2.0, 30.5, 40.25],
    )
    assert _values(box) == {_spec(car, "doors"): "2", _spec(car, "kind"): "van"}
    first, second = sorted(task.get_jobs(), key=lambda job: job.start_frame)
    assert (len(first.get_annotations().tags), len(first.get_annotations().shapes)) == (1, 0)
    assert (len(second.get_annotations().tags), len(second.get_annotations().shapes)) == (0, 1)
    stored = f"select count(*) from engine_labeledshapeattributeval where shape_id = {box.id}"
    assert stack.sql(stored) == ["1"]


def test_annotations_are_added_changed_and_removed(task: Any) -> None:
    """PATCH with create, update and delete; PUT replaces all."""
    car, _ = annotate(task)
    polygon = models.LabeledShapeRequest(
        frame=1, label_id=car.id, type="polygon", points=[0.0, 0.0, 5.0, 5.0, 9.0, 1.0]
    )
    more = models.PatchedLabeledDataRequest(shapes=[polygon])
    task.update_annotations(more, action=AnnotationUpdateAction.CREATE)
    shapes = task.get_annotations().shapes
    assert sorted(shape.frame for shape in shapes) == [1, 2]
    changed = {**shapes[0].to_dict(), "points": [0.0, 0.0, 6.0, 6.0, 9.0, 1.0]}
    if shapes[0].frame == 2:
        changed = {**shapes[1].to_dict(), "points": [0.0, 0.0, 6.0, 6.0, 9.0, 1.0]}
    update = {"shapes": [changed]}
    task.api.partial_update_annotations("update", task.id, patched_labeled_data_request=update)
    points = [shape.points for shape in task.get_annotations().shapes if shape.frame == 1]
    assert points == [[0.0, 0.0, 6.0, 6.0, 9.0, 1.0]]
    task.remove_annotations()
    assert task.get_annotations().shapes == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "rectangle", "points": [1.0, 2.0, 3.0]},
        {"type": "polygon", "points": [1.0, 2.0, 3.0, 4.0]},
        {"type": "rectangle", "points": [1.0, 2.0, 3.0, 4.0], "label_id": 999999},
        {"type": "rectangle", "points": [1.0, 2.0, 3.0, 4.0], "frame": -1},
        {"type": "rectangle", "points": [1.0, 2.0, 3.0, 4.0], "rotation": 361},
    ],
)
def test_an_impossible_shape_is_refused(admin: Person, task: Any, wrong: dict[str, Any]) -> None:
    """ShapeSerializer.validate; JobAnnotation._validate_label_for_existence."""
    body = {"shapes": [{"frame": 0, "label_id": labels_of(task)["car"].id, **wrong}]}
    path = f"/tasks/{task.id}/annotations?action=create"
    answer = admin.patch(path, {"version": 0, "tags": [], "tracks": [], **body})
    assert answer.status_code == 400
    assert task.get_annotations().shapes == []


def test_a_new_attribute_shows_its_default_on_old_annotations(task: Any, project: Any) -> None:
    car, _ = annotate(task)
    wheels = {"name": "wheels", "mutable": True, "input_type": "text", "default_value": "four", "values": []}
    project.update({"labels": [{"id": car.id, "attributes": [wheels]}]})
    new = _spec(labels_of(project)["car"], "wheels")
    assert _values(task.get_annotations().shapes[0])[new] == "four"


def test_labels_and_attributes_are_renamed_and_removed_by_id(task: Any, project: Any) -> None:
    """LabelSerializer.update_label: a new name keeps what was said; ``deleted`` drops the values."""
    car, _ = annotate(task)
    doors, kind = (one.to_dict() for one in labels_of(project)["car"].attributes)
    head = {"id": car.id, "name": "auto", "color": car.color, "type": "rectangle"}
    change = {**head, "attributes": [{**doors, "name": "gates"}, {**kind, "deleted": True}]}
    project.update({"labels": [change]})
    after = labels_of(project)["auto"]
    assert (after.id, after.color, [one.name for one in after.attributes]) == (car.id, car.color, ["gates"])
    [box] = task.get_annotations().shapes
    assert _values(box) == {doors["id"]: "2"}


def test_a_label_without_a_color_gets_another_one(project: Any) -> None:
    """LabelSerializer.update_label: a PATCH that does not send the color chooses one by the name."""
    car = labels_of(project)["car"]
    project.update({"labels": [{"id": car.id, "name": "car"}]})
    chosen = labels_of(project)["car"].color
    assert chosen != car.color
    project.update({"labels": [{"id": car.id, "name": "car"}]})
    assert labels_of(project)["car"].color == chosen


@pytest.mark.parametrize("names", [("kind", "doors"), ("kind", "kind")])
def test_attribute_names_are_neither_swapped_nor_taken(project: Any, names: tuple[str, str]) -> None:
    """LabelSerializer.check_attribute_names_available and check_attribute_names_unique."""
    car = labels_of(project)["car"]
    specs = [{**DOORS, "id": _spec(car, "doors"), "name": names[0]}]
    specs.append({**KIND, "id": _spec(car, "kind"), "name": names[1]})
    with pytest.raises(exceptions.ApiException) as refused:
        project.update({"labels": [{"id": car.id, "color": car.color, "attributes": specs}]})
    assert refused.value.status == 400
    assert {one.name for one in labels_of(project)["car"].attributes} == {"doors", "kind"}


def test_an_attribute_takes_the_name_of_one_that_is_deleted_with_it(project: Any) -> None:
    """LabelSerializer.update_label: deletions come first, in whatever order they are sent."""
    car = labels_of(project)["car"]
    doors, kind = (
        {**DOORS, "id": _spec(car, "doors"), "name": "kind"},
        {**KIND, "id": _spec(car, "kind"), "deleted": True},
    )
    project.update({"labels": [{"id": car.id, "color": car.color, "attributes": [doors, kind]}]})
    assert [(one.name, one.id) for one in labels_of(project)["car"].attributes] == [("kind", doors["id"])]


def test_choices_and_defaults_grow(project: Any) -> None:
    """LabelSerializer._update_attribute: further choices, and then one of them as the default."""
    car = labels_of(project)["car"]
    more = {**KIND, "id": _spec(car, "kind"), "values": ["van", "bus", "cab"], "default_value": "cab"}
    project.update({"labels": [{"id": car.id, "name": "car", "color": car.color, "attributes": [more]}]})
    kind = labels_of(project)["car"].attributes[1]
    assert (kind.values, kind.default_value) == (["van", "bus", "cab"], "cab")


def test_tasks_are_found_by_project_name_and_subset(admin: Person, task: Any, project: Any) -> None:
    """cvat/apps/engine/views.py, TaskViewSet.simple_filters."""
    for query in ({"name": "task"}, {"subset": "train"}):
        rows = admin.get("/tasks", project_id=project.id, **query).json()["results"]
        assert [row["id"] for row in rows] == [task.id]
    assert admin.get("/tasks", project_id=project.id, subset="other").json()["results"] == []


def test_annotations_that_were_read_can_be_added_to_another_task(
    client: Any, task: Any, project: Any
) -> None:
    """What GET gives of a tag and a shape, without ids, is what ``action=create`` takes."""
    annotate(task)
    other = client.tasks.create_from_data(
        spec={"name": "other", "project_id": project.id},
        resource_type=ResourceType.SHARE,
        resources=["street/größe/c.png"],
        data_params={"copy_data": False},
    )
    [box] = task.get_annotations().to_dict()["shapes"]
    moved = {key: value for key, value in box.items() if key not in ("id", "elements")}
    body = {"shapes": [{**moved, "frame": 0}]}
    other.api.partial_update_annotations("create", other.id, patched_labeled_data_request=body)
    [copy] = other.get_annotations().to_dict()["shapes"]
    same = ("label_id", "points", "attributes", "type", "z_order", "occluded", "rotation", "source")
    assert {key: copy[key] for key in same} == {key: box[key] for key in same}


def test_a_deleted_label_takes_its_annotations(task: Any, project: Any) -> None:
    car, _ = annotate(task)
    project.update({"labels": [{"id": car.id, "deleted": True}]})
    assert task.get_annotations().shapes == []
    assert len(task.get_annotations().tags) == 1


def _exported(entity: Any, folder: Path, **options: Any) -> tuple[ElementTree.Element, list[str]]:
    file = entity.export_dataset(FORMAT, folder / "x.zip", **options)
    with zipfile.ZipFile(file) as archive:
        return ElementTree.fromstring(archive.read("annotations.xml")), sorted(archive.namelist())


def test_an_export_of_a_task_shows_every_frame(task: Any, tmp_path: Path) -> None:
    """cvat/apps/dataset_manager/formats/cvat.py."""
    annotate(task)
    root, names = _exported(task, tmp_path, include_images=False)
    assert names == ["annotations.xml"]
    assert root.findtext("version") == "1.1"
    assert root.findtext("meta/task/name") == "task"
    assert root.findtext("meta/task/subset") == "train"
    assert [one.findtext("name") for one in root.findall("meta/task/labels/label")] == [
        "car",
        "night",
        "area",
    ]
    specs = root.findall("meta/task/labels/label/attributes/attribute")
    assert [one.findtext("values") for one in specs] == ["0\n6\n1", "van\nbus", "false"]
    assert [one.findtext("mutable") for one in specs] == ["False", "True", "True"]
    images = [(one.get("id"), one.get("name"), one.get("width"), len(one)) for one in root.findall("image")]
    assert images == [
        ("0", "street/a.png", "64", 1),
        ("1", "street/b c.jpg", "64", 0),
        ("2", "street/größe/c.png", "64", 1),
    ]
    [tag] = root.findall("image/tag")
    assert tag.attrib == {"label": "night", "source": "manual"}
    [box] = root.findall("image/box")
    assert box.attrib == {
        **{"label": "car", "source": "manual", "occluded": "0", "z_order": "0"},
        **{"xtl": "1.00", "ytl": "2.00", "xbr": "30.50", "ybr": "40.25"},
    }
    values = {one.get("name"): one.text for one in box.findall("attribute")}
    assert values == {"doors": "2", "kind": "van"}


def test_an_export_of_a_project_names_task_and_subset(task: Any, project: Any, tmp_path: Path) -> None:
    annotate(task)
    root, _ = _exported(project, tmp_path, include_images=False)
    assert root.findtext("meta/project/name") == project.name
    assert [one.findtext("id") for one in root.findall("meta/project/tasks/task")] == [str(task.id)]
    images = root.findall("image")
    assert [(one.get("subset"), one.get("task_id")) for one in images] == [("train", str(task.id))] * 3
    assert len(root.findall("image/box")) == 1


def test_an_export_may_hold_the_images(task: Any, tmp_path: Path) -> None:
    _, names = _exported(task, tmp_path, include_images=True)
    assert len(names) == 4
    assert all(name.startswith("images/") for name in names if name != "annotations.xml")


def test_an_export_of_a_job_holds_its_frames(task: Any, tmp_path: Path) -> None:
    annotate(task)
    second = max(task.get_jobs(), key=lambda job: job.start_frame)
    root, _ = _exported(second, tmp_path, include_images=False)
    assert [one.get("id") for one in root.findall("image")] == ["2"]


def test_a_request_can_be_followed_by_its_owner_alone(
    client: Any, admin: Person, annotator: Person, task: Any
) -> None:
    """cvat/apps/redis_handler/serializers.py, RequestSerializer."""
    started = admin.post(f"/tasks/{task.id}/dataset/export?format={FORMAT}&save_images=false", {})
    assert started.status_code == 202
    number = started.json()["rq_id"]
    client.wait_for_completion(number)
    row = admin.get(f"/requests/{number}").json()
    assert (row["status"], row["id"]) == ("finished", number)
    assert row["operation"]["target"] == "task"
    assert row["operation"]["task_id"] == task.id
    assert row["operation"]["format"] == FORMAT
    assert "/dataset/download" in row["result_url"]
    assert row["owner"]["username"] == admin.me()["username"]
    assert number in {one["id"] for one in admin.get("/requests", page_size=500).json()["results"]}
    assert annotator.get(f"/requests/{number}").status_code == 403


def test_a_removed_project_takes_its_tasks(stack: Stack, client: Any, project: Any, task: Any) -> None:
    annotate(task)
    project.remove()
    for model in (project, task):
        with pytest.raises(exceptions.ApiException) as gone:
            model.fetch()
        assert gone.value.status == 404
    assert stack.sql(f"select count(*) from engine_job j join engine_segment s on s.id = j.segment_id"
                     f" where s.task_id = {task.id}") == ["0"]  # fmt: skip

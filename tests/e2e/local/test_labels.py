"""Labels, annotators, tasks and the audit of one workspace, from its labels file to a CVAT subset."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree
from PIL import Image
from tests.e2e.lab import ADMIN, BIN, PASSWORD, Lab, Visitor, admin_of
from tests.paths import ROOT

from labelspace_ops.labels.labels_file import path_for
from labelspace_ops.storage.media_files import UNREADABLE

ANN = "annotator-ann"
LABELS: dict[str, Any] = {
    "projects": [
        {
            "name": "Animals",
            "labels": [
                {"name": "cat", "type": "tag"},
                {"name": "dog", "type": "tag"},
                {
                    "name": "keeper",
                    "type": "rectangle",
                    "color": "#3366cc",
                    "attributes": [
                        {"name": "pose", "values": ["standing", "sitting"]},
                        {"name": "count", "input": "number", "minimum": 1, "maximum": 9},
                    ],
                },
            ],
            "audit": [
                {"name": "place", "kind": "condition", "values": ["indoor", "outdoor"]},
                {"name": "gender", "kind": "protected", "values": ["man", "woman"], "objects": ["keeper"]},
            ],
        }
    ],
    "annotators": [
        {"email": f"{ANN}@example.org", "group": "user", "tasks": {"Animals": ["zoo/photos", "later"]}},
        {"email": "missing@example.org"},
    ],
}
COUNTS = {("cat", "indoor"): 6, ("cat", "outdoor"): 2, ("dog", "indoor"): 3, ("dog", "outdoor"): 5}


def save(name: str, labels: dict[str, Any]) -> None:
    path_for(name).write_text(yaml.dump(labels, sort_keys=False), encoding="utf-8")


def changed(**project: Any) -> dict[str, Any]:
    """LABELS with other parts of its project."""
    return {**LABELS, "projects": [{**LABELS["projects"][0], **project}]}


@pytest.fixture(scope="module")
def animals(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A workspace made with its labels file, with images and what CVAT cannot open in its bucket."""
    folder, name = tmp_path_factory.mktemp("animals"), f"t{secrets.token_hex(3)}"
    (folder / "photos").mkdir()
    for (label, place), count in COUNTS.items():
        for number in range(count):
            Image.new("RGB", (32, 24), (9 * number, 90, 40)).save(
                folder / "photos" / f"{label} {place} {number}.png"
            )
    (folder / "photos" / "broken.jpg").write_bytes(b"this is no JPEG")
    (folder / "photos" / "notes.txt").write_text("no image")
    save(name, LABELS)
    try:
        measured = lab.create(name, "--bucket", "zoo")
        lab.json("upload", name, str(folder), "--bucket", "zoo")
        yield measured
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")
        path_for(name).unlink()


@pytest.fixture
def admin(animals: Any) -> Visitor:
    return admin_of(animals)


def project_of(admin: Visitor) -> int:
    return int(admin.get("/api/projects?name=Animals").json()["results"][0]["id"])


def labels_in(admin: Visitor) -> dict[str, Any]:
    rows = admin.get(f"/api/labels?project_id={project_of(admin)}&page_size=100").json()["results"]
    return {row["name"]: row for row in rows}


def spec(label: dict[str, Any], name: str) -> int:
    return next(int(one["id"]) for one in label["attributes"] if one["name"] == name)


def test_a_workspace_is_created_with_its_labels(lab: Lab, animals: Any, admin: Visitor) -> None:
    found = labels_in(admin)
    assert [(name, row["type"]) for name, row in found.items()] == [
        ("cat", "tag"), ("dog", "tag"), ("keeper", "rectangle"), ("audit", "tag"),
    ]  # fmt: skip
    assert [one["name"] for one in found["keeper"]["attributes"]] == ["pose", "count", "gender"]
    assert found["keeper"]["color"] == "#3366cc"
    place = found["audit"]["attributes"][0]
    assert (place["values"], place["default_value"]) == (["indoor", "outdoor", "unknown"], "unknown")


def test_labels_are_unchanged_in_preview_and_refresh_and_their_state_is_secret(
    lab: Lab, animals: Any
) -> None:
    name = animals["name"]
    lab.pulumi("preview", "--stack", name, "--expect-no-changes")
    lab.pulumi("refresh", "--stack", name, "--yes", "--expect-no-changes")
    state = lab.pulumi("stack", "export", "--stack", name)
    assert "CvatProject" in state
    assert PASSWORD not in state
    done = lab.run("preview", name, "--password-stdin", stdin="Quite-another-phrase-of-2026\n")
    assert done.returncode == 0, done.stderr


def _task(lab: Lab, name: str, *flags: str) -> Any:
    return lab.json("task", "create", name, "--project", "Animals", "--from", "zoo/photos", *flags)


def test_a_task_has_the_files_that_cvat_opens_and_is_created_once(
    lab: Lab, animals: Any, admin: Visitor
) -> None:
    made = _task(lab, animals["name"], "--segment-size", "4", "--as", "train")
    assert (made["name"], made["images"], made["jobs"], made["made"]) == ("zoo/photos", 16, 4, True)
    assert made["left_out"] == {"no image": 1, "damaged: not the image that its name says": 1}
    again = _task(lab, animals["name"], "--segment-size", "4", "--as", "train")
    assert (again["task"], again["made"]) == (made["task"], False)
    frames = admin.get(f"/api/tasks/{made['task']}/data/meta").json()["frames"]
    assert frames[0]["name"] == "zoo/photos/cat indoor 0.png"


def test_a_file_that_cvats_user_cannot_read_is_left_out(lab: Lab, animals: Any, admin: Visitor) -> None:
    folder = lab.home.buckets / "zoo" / "by hand"
    folder.mkdir()
    try:
        for name, mode in (("open.png", 0o644), ("closed.png", 0o600)):
            Image.new("RGB", (32, 24)).save(folder / name)
            (folder / name).chmod(mode)
        made = lab.json("task", "create", animals["name"], "--project", "Animals", "--from", "zoo/by hand")
        assert (made["images"], made["left_out"]) == (1, {UNREADABLE: 1})
        admin.http.delete(f"/api/tasks/{made['task']}", headers=admin._csrf())
    finally:
        shutil.rmtree(folder)


def test_an_interrupted_task_is_created_again(lab: Lab, animals: Any, admin: Visitor) -> None:
    left = admin.post("/api/tasks", {"name": "drawn", "project_id": project_of(admin)}).json()["id"]
    drawn = _task(lab, animals["name"], "--name", "drawn", "--subset", "5", "--seed", "7")
    assert admin.get(f"/api/tasks/{left}").status_code == 404
    frames = admin.get(f"/api/tasks/{drawn['task']}/data/meta").json()["frames"]
    other = _task(lab, animals["name"], "--name", "drawn again", "--subset", "5", "--seed", "7")
    assert admin.get(f"/api/tasks/{other['task']}/data/meta").json()["frames"] == frames
    assert len(frames) == 5
    refused = lab.run(
        *("task", "create", animals["name"], "--project", "Animals", "--from", "zoo/photos"),
        *("--name", "drawn", "--subset", "5", "--seed", "8"),
    )
    assert refused.returncode == 2
    assert "choose another name" in " ".join(refused.stderr.split())
    for number in (drawn["task"], other["task"]):
        admin.http.delete(f"/api/tasks/{number}", headers=admin._csrf())


def test_annotators_of_the_file_get_their_group_and_jobs(lab: Lab, animals: Any, admin: Visitor) -> None:
    assert Visitor(animals["api_url"]).sign_up(ANN).status_code == 201
    _task(lab, animals["name"], "--segment-size", "4", "--as", "train")
    ann, missing = lab.json("annotators", "apply", animals["name"])["annotators"]
    assert (ann["username"], ann["group_set"], ann["new_jobs"]) == (ANN, True, 4)
    assert "later" in ann["notes"][0]
    assert (missing["signed_up"], missing["new_jobs"]) == (False, 0)
    assert animals["url"] in missing["invitation"]
    again = lab.json("annotators", "apply", animals["name"])["annotators"][0]
    assert (again["group_set"], again["new_jobs"]) == (False, 0)
    rows = {row["email"]: row for row in lab.json("annotators", "list", animals["name"])}
    assert (rows[f"{ANN}@example.org"]["jobs"], rows[f"{ANN}@example.org"]["group"]) == (4, "user")
    assert rows["missing@example.org"]["signed_up"] is False
    assert rows["head@example.org"]["group"] == "admin"


def annotate(admin: Visitor, task: int) -> None:
    """Tags by the file's name; a keeper on every first image."""
    labels = labels_in(admin)
    frames = admin.get(f"/api/tasks/{task}/data/meta").json()["frames"]
    tags, shapes = [], []
    for frame, image in enumerate(frames):
        label, place, number = Path(image["name"]).stem.split()
        value = {"spec_id": spec(labels["audit"], "place"), "value": place}
        tags.append({"frame": frame, "label_id": labels[label]["id"]})
        tags.append({"frame": frame, "label_id": labels["audit"]["id"], "attributes": [value]})
        if number == "0":
            gender = {"spec_id": spec(labels["keeper"], "gender"), "value": "woman"}
            keeper = {"frame": frame, "label_id": labels["keeper"]["id"], "attributes": [gender]}
            shapes.append({**keeper, "type": "rectangle", "points": [1, 1, 9, 9]})
    body = {"version": 0, "tags": tags, "shapes": shapes, "tracks": []}
    assert admin.http.put(
        f"/api/tasks/{task}/annotations", json=body, headers=admin._csrf()
    ).status_code == 200  # fmt: skip


def test_from_annotations_to_a_balanced_subset_and_an_export_for_training(
    lab: Lab, animals: Any, admin: Visitor, tmp_path: Path
) -> None:
    name, out = animals["name"], tmp_path / "report"
    annotate(admin, _task(lab, name, "--segment-size", "4", "--as", "train")["task"])
    audit = ("audit", name, "--project", "Animals", "--out", str(out), "--write-subset", "balanced")
    found = lab.json(*audit)
    assert found["classes"] == {"cat": 8, "dog": 8}
    assert found["attributes"]["place"]["kind"] == "condition"
    assert found["balanced_set"]["per_cell"] == 2
    assert found["balanced_set"]["limited_by"] == [{"class": "cat", "place": "outdoor", "available": 2}]
    files = found["balanced_set"]["files"]
    assert (out / "report.html").stat().st_size > 1000

    [written] = admin.get(f"/api/tasks?project_id={project_of(admin)}&subset=balanced").json()["results"]
    frames = admin.get(f"/api/tasks/{written['id']}/data/meta").json()["frames"]
    assert [frame["name"] for frame in frames] == files
    copied = admin.get(f"/api/tasks/{written['id']}/annotations").json()
    keepers = sum(Path(file).stem.endswith(" 0") for file in files)
    assert (len(copied["tags"]), len(copied["shapes"])) == (2 * len(files), keepers)
    again = lab.json(*audit)
    assert again["balanced_set"]["files"] == files
    assert (again["images"], again["notes"]) == (found["images"], found["notes"])
    assert len(admin.get(f"/api/tasks?project_id={project_of(admin)}&subset=balanced").json()["results"]) == 1

    images = _exported(lab, name, tmp_path / "training.zip", "--for-training", "--hold-out", "balanced")
    assert sorted(one.get("name") for one in images if one.get("subset") == "balanced") == files
    assert len(images) == 16
    assert {one.get("label") for image in images for one in image} == {"cat", "dog", "keeper"}
    assert {one.get("name") for image in images for one in image.iter("attribute")} == {"pose", "count"}
    whole = _exported(lab, name, tmp_path / "whole.zip")
    assert len(whole) == 16 + len(files)
    assert "audit" in {one.get("label") for image in whole for one in image}


def _exported(lab: Lab, name: str, file: Path, *flags: str) -> list[Any]:
    lab.json("export", name, "--project", "Animals", "--out", str(file), *flags)
    with zipfile.ZipFile(file) as archive:
        root = etree.fromstring(archive.read("annotations.xml"))
    labels = {one.findtext("name") for one in root.iter("label")}
    assert ("audit" in labels) == ("--for-training" not in flags)
    return list(root.findall("image"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["task", "create", "NAME", "--project", "Animals", "--from", "sky/x"], "choose one of zoo"),
        (["task", "create", "NAME", "--project", "Fish", "--from", "zoo"], "there are: Animals"),
        (["task", "create", "NAME", "--project", "Animals", "--from", "zoo/nowhere"], "holds no image"),
        (
            ["task", "create", "NAME", "--project", "Animals", "--from", "zoo", "--assign", "eve"],
            "eve has no account yet",
        ),
        (["audit", "NAME", "--project", "Fish"], "there are: Animals"),
        (
            ["export", "NAME", "--project", "Animals", "--for-training", "--hold-out", "x"],
            "is not a subset of the project",
        ),
        (["labels", "pull", "NAME", "--project", "Fish", "--out", "-"], "there are: Animals"),
    ],
)
def test_an_unknown_name_is_an_error(lab: Lab, animals: Any, words: list[str], said: str) -> None:
    done = lab.run(*[animals["name"] if word == "NAME" else word for word in words])
    assert done.returncode in (1, 2)
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_change_by_hand_is_shown_and_undone(lab: Lab, animals: Any, admin: Visitor) -> None:
    name, number = animals["name"], project_of(admin)
    ghost = {"labels": [{"name": "ghost", "type": "tag", "attributes": []}]}
    assert admin.patch(f"/api/projects/{number}", ghost).status_code == 200
    shown = lab.pulumi("refresh", "--stack", name, "--yes", "--diff")
    assert "ghost" in shown
    reasons = [change["why"] for change in lab.json("preview", name)["changes"]]
    assert reasons == [["label ghost: removed"]]
    done = lab.json("labels", "apply", name, "--yes")
    assert done["changes"] == {"Animals": ["label ghost: removed"]}
    assert "ghost" not in labels_in(admin)


def test_a_label_with_annotations_is_deleted_only_when_the_file_allows_it(
    lab: Lab, animals: Any, admin: Visitor
) -> None:
    name = animals["name"]
    annotate(admin, _task(lab, name, "--segment-size", "4", "--as", "train")["task"])
    two = [{"name": "feline", "type": "tag", "renamed_from": "cat"}, {"name": "dog", "type": "tag"}]
    save(name, changed(labels=two, audit=LABELS["projects"][0]["audit"][:1]))
    try:
        refused = lab.run("labels", "apply", name, "--yes")
        assert refused.returncode == 2
        assert "allow_delete: ['keeper']" in refused.stderr
        plain = subprocess.run(
            ["pulumi", "preview", "--stack", name, "--non-interactive"],
            env=lab.env(), capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        assert plain.returncode != 0
        said = plain.stdout + plain.stderr
        assert "label keeper: removed: annotations carry it" in said
        assert "labels/resource.py" not in said, said  # a sentence is enough
        assert set(labels_in(admin)) == {"cat", "dog", "keeper", "audit"}

        save(name, changed(labels=two, audit=LABELS["projects"][0]["audit"][:1], allow_delete=["keeper"]))
        before = labels_in(admin)["cat"]["id"]
        lab.json("labels", "apply", name, "--yes")
        assert set(labels_in(admin)) == {"feline", "dog", "audit"}
        assert labels_in(admin)["feline"]["id"] == before
        task = admin.get(f"/api/tasks?project_id={project_of(admin)}&name=zoo/photos").json()["results"][0]
        said = admin.get(f"/api/tasks/{task['id']}/annotations").json()
        assert sum(tag["label_id"] == before for tag in said["tags"]) == 8
        assert said["shapes"] == []
    finally:
        save(name, changed(allow_delete=["feline"]))
        lab.json("labels", "apply", name, "--yes")


def test_a_skeleton_is_created_changed_and_pulled_like_any_label(
    lab: Lab, animals: Any, admin: Visitor
) -> None:
    name, points = (
        animals["name"],
        [{"name": "head", "position": [50, 10]}, {"name": "tail", "position": [9.5, 60]}],
    )
    pose = {"name": "pose", "type": "skeleton", "color": "#0a0b0c", "points": points}
    for edges in ([["head", "tail"]], []):
        desired = changed(
            labels=[*LABELS["projects"][0]["labels"], {**pose, **({"edges": edges} if edges else {})}]
        )
        save(name, desired)
        lab.json("labels", "apply", name, "--yes")
        made = labels_in(admin)["pose"]
        assert [(one["name"], one["type"]) for one in made["sublabels"]] == [
            ("head", "points"), ("tail", "points"),
        ]  # fmt: skip
        assert made["svg"].count("<line ") == len(edges)
        assert all(f'data-label-id="{one["id"]}"' in made["svg"] for one in made["sublabels"])
        lab.pulumi("refresh", "--stack", name, "--yes", "--expect-no-changes")
        assert lab.json("preview", name)["changes"] == []
        assert yaml.safe_load(lab.run("labels", "pull", name, "--out", "-").stdout) == desired
    save(name, LABELS)
    lab.json("labels", "apply", name, "--yes")
    assert "pose" not in labels_in(admin)


def test_labels_are_pulled_as_they_were_written(lab: Lab, animals: Any, tmp_path: Path) -> None:
    save(animals["name"], LABELS)
    lab.json("labels", "apply", animals["name"], "--yes")
    pulled = lab.run("labels", "pull", animals["name"], "--out", "-")
    assert pulled.returncode == 0, pulled.stderr
    assert yaml.safe_load(pulled.stdout) == LABELS
    refused = lab.run("labels", "pull", animals["name"])
    assert refused.returncode == 2
    assert "--replace" in refused.stderr


def test_labels_wait_for_a_stopped_workspace(lab: Lab, animals: Any) -> None:
    name = animals["name"]
    more = {**LABELS, "projects": [*LABELS["projects"], {"name": "Plants", "labels": [{"name": "oak"}]}]}
    lab.json("stop", name)
    save(name, more)
    try:
        refused = lab.run("labels", "apply", name, "--yes")
        assert (refused.returncode, f"labelspace start {name}" in refused.stderr) == (1, True)
        lab.pulumi("up", "--stack", name, "--yes")
        assert lab.json("start", name)["status"] == "ready"
        rows = admin_of(animals).get("/api/projects?name=Plants").json()["results"]
        assert [row["name"] for row in rows] == ["Plants"]
    finally:
        save(name, LABELS)
    lab.pulumi("up", "--stack", name, "--yes")
    assert admin_of(animals).get("/api/projects?name=Plants").json()["count"] == 1
    assert ADMIN in [user["username"] for user in admin_of(animals).get("/api/users").json()["results"]]


def test_every_command_of_the_guide_runs(lab: Lab, animals: Any, admin: Visitor, tmp_path: Path) -> None:
    """docs/labels.md, on this workspace; its files go to a folder of the test's own."""
    name, guide = animals["name"], (ROOT / "docs" / "labels.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", guide, re.DOTALL)
    assert len(blocks) == 7
    text = "\n".join(blocks).replace("menagerie", name)
    for file in ("samples", "zoo-report", "scrubs-report", "zoo.zip"):
        text = text.replace(f" {file}", f" {tmp_path}/{file}")
    env = {**lab.env(), "PATH": f"{BIN}{os.pathsep}{lab.env()['PATH']}"}
    done = subprocess.run(
        ["bash", "-ec", text], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    zoo = json.loads((tmp_path / "zoo-report" / "audit.json").read_text())
    assert "94 % of class cat is indoor" in zoo["associations"][0]["sentence"]
    assert zoo["balanced_set"]["limited_by"] == [{"class": "cat", "place": "outdoor", "available": 3}]
    scrubs = json.loads((tmp_path / "scrubs-report" / "audit.json").read_text())
    worst = scrubs["associations"][0]
    assert (worst["attribute"], worst["suspicious"]) == ("gender", True)
    assert project_of(admin)  # left the file, and stays in CVAT


def test_an_invalid_file_ends_create_before_anything_is_made(lab: Lab) -> None:
    name = f"t{secrets.token_hex(3)}"
    save(name, {"projects": [{"name": "A", "labels": [{"name": "x", "type": "box"}]}]})
    try:
        done = lab.run("create", name, "--yes", "--bucket", "zoo")
    finally:
        path_for(name).unlink()
    assert done.returncode == 2
    assert "projects[A].labels[x].type: 'box' is refused: choose one of" in " ".join(done.stderr.split())
    assert name not in [row["name"] for row in json.loads(lab.run("list", "--json").stdout)]

"""Kinds of files and of data that led to wrong conclusions, each with its right value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.ops.audit import made
from tests.unit.ops.audit.made import Image, Mark, run

from labelspace_ops.audit import findings, gate, source, terminal
from labelspace_ops.audit.predictions import Options
from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels.audit_choices import Choices


def gap(found: dict[str, Any], metric: str = "error", label: str | None = None) -> dict[str, Any]:
    row: dict[str, Any]
    [row] = [
        row
        for row in found["gaps"]
        if (row["metric"], row["class"]) == (metric, label)
        and not row["attribute"].startswith(("object", "image"))
    ]
    return row


def rate(found: dict[str, Any], **by: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = found["error_rates"]
    return next(row for row in rows if row["by"] == by and row["class"] is None)


# What an item is


def boxes(count: int) -> list[Image]:
    return [
        Image(f"{n}.jpg", [Mark("car", {"light": "day"}), Mark("bus", {"light": "night"})])
        for n in range(count)
    ]


def test_a_single_tag_does_not_hide_the_boxes(tmp_path: Path) -> None:
    images = [*boxes(99), Image("99.jpg", [Mark("car"), Mark("bus"), Mark("to_review", kind="tag")])]
    found = run(tmp_path, images).found
    assert (found["level"], found["items"], found["levels"]) == ("object", 200, {"object": 200, "image": 1})
    assert found["attributes"]["tag: to_review"]["values"] == {"no": 198, "yes": 2}
    assert any("1 tags of images (to_review) are conditions" in note for note in found["notes"])
    assert run(tmp_path, images, level="image").found["items"] == 1


def test_a_few_boxes_do_not_hide_the_tags(tmp_path: Path) -> None:
    images = [Image(f"{n}.jpg", [Mark("cat", kind="tag")]) for n in range(40)]
    images.append(Image("box.jpg", [Mark("dog", kind="tag"), Mark("nose")]))
    found = run(tmp_path, images).found
    assert (found["level"], found["items"]) == ("image", 41)
    assert any("1 objects (nose) are not used here" in note for note in found["notes"])


def test_scene_tags_that_exclude_each_other_are_one_condition(tmp_path: Path) -> None:
    images = [
        Image(
            f"{n}.jpg",
            [Mark("Day" if n % 2 else "Night", kind="tag"), *[Mark("car")] * 2, *[Mark("person")] * 2],
        )
        for n in range(60)
    ]
    found = run(tmp_path, images).found
    assert found["items"] == 240
    assert found["attributes"]["image tag"]["values"] == {"Night": 120, "Day": 120}


def test_a_level_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="use --level object"):
        run(tmp_path, boxes(3), level="image")


def test_two_subsets_with_the_same_file_names_are_different_images(tmp_path: Path) -> None:
    images = [
        Image(f"{n:03}.jpg", [Mark(label)], subset)
        for subset, label in (("train", "cat"), ("val", "dog"))
        for n in range(40)
    ]
    audit = run(tmp_path, images, "image,prediction\nval/000.jpg,dog\n")
    assert (audit.found["images"], audit.found["classes"]) == (80, {"cat": 40, "dog": 40})
    assert not any("more than once" in note for note in audit.found["notes"])
    assert audit.found["predictions"]["matched"] == 1
    assert rate(audit.found)["errors"] == 0


def test_two_tasks_of_one_share_show_the_same_images(tmp_path: Path) -> None:
    images = [
        Image(f"{n:03}.jpg", [Mark("cat" if n < 20 else "dog")], subset)
        for subset in ("train", "second")
        for n in range(40)
    ]
    found = run(tmp_path, images, one_namespace=True).found
    assert (found["images"], found["classes"]) == (40, {"cat": 20, "dog": 20})
    assert any(note.startswith("40 images are there more than once") for note in found["notes"])


def coco(**parts: Any) -> dict[str, Any]:
    whole = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 7, "image_id": 1, "category_id": 1}],
    }
    return whole | parts


LOST: dict[str, tuple[dict[str, Any], str]] = {
    "two images of one id": (
        {"images": [{"id": 1, "file_name": "a.gif"}, {"id": 1, "file_name": "a.jpg"}]},
        "1 image ids are used more than once (first: 1)",
    ),
    "an annotation of no image": (
        {"annotations": [{"id": 7, "image_id": 9, "category_id": 1}]},
        "1 annotations belong to 1 image ids that are not among the images (first: 9)",
    ),
    "two annotations of one id": (
        {"annotations": [{"id": n, "image_id": 1, "category_id": 1} for n in (7, 7, 8)]},
        "1 annotation ids are used more than once (first: 7)",
    ),
    "a class that is not there": (
        {"annotations": [{"id": 7, "image_id": 1, "category_id": 4}]},
        "annotation 7 has category_id 4, which is not among the categories",
    ),
}


@pytest.mark.parametrize("kind", LOST)
def test_lost_and_doubled_ids_stop_the_run_with_their_count(kind: str, tmp_path: Path) -> None:
    parts, said = LOST[kind]
    (tmp_path / "a.json").write_text(json.dumps(coco(**parts)))
    with pytest.raises(UsageError) as refused:
        source.read(tmp_path / "a.json")
    assert said in str(refused.value)


def test_ids_that_are_numbers_here_and_text_there_are_compared_as_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(coco(images=[{"id": "1", "file_name": "a.jpg"}])))
    found = source.read(tmp_path / "a.json")
    assert len(found.label) == 1
    assert "compared as text" in found.notes[0]


# Attributes


def test_an_attribute_belongs_to_its_label(tmp_path: Path) -> None:
    """Cars are sedans and trees are oaks: that says nothing of either."""
    images = [
        Image(
            f"{n}.jpg",
            [
                Mark("car", {"type": "sedan" if n % 2 else "suv"}),
                Mark("tree", {"type": "oak" if n % 3 else "pine"}),
            ],
        )
        for n in range(80)
    ]
    found = run(tmp_path, images).found
    assert {"car.type", "tree.type"} <= set(found["attributes"])
    assert not any(row["suspicious"] for row in found["associations"])
    named = run(tmp_path, images, condition=("type",)).found
    assert set(named["attributes"]) == {"car.type", "tree.type"}


def test_a_schema_with_the_same_values_makes_one_attribute_of_two_labels(tmp_path: Path) -> None:
    def schema(label: str, values: str) -> str:
        own = f"<name>light</name><input_type>select</input_type><values>{values}</values>"
        return f"<label><name>{label}</name><attributes><attribute>{own}</attribute></attributes></label>"

    images = [
        Image(f"{n}.jpg", [Mark("car", {"light": "day"}), Mark("bus", {"light": "night"})]) for n in range(40)
    ]
    same = run(tmp_path, images, schema=schema("car", "day\nnight") + schema("bus", "day\nnight")).found
    assert any(row["suspicious"] for row in same["associations"] if row["attribute"] == "light")
    other = run(tmp_path, images, schema=schema("car", "day\nfog") + schema("bus", "night\nfog")).found
    assert {"car.light", "bus.light"} <= set(other["attributes"])


AGE = (
    "<label><name>car</name><attributes><attribute><name>age</name><input_type>number</input_type></attribute>"
    "</attributes></label>"
)


def test_a_number_is_passed_over_with_a_note_and_binned_when_asked_for(tmp_path: Path) -> None:
    images = [
        Image(f"{n}.jpg", [Mark("car", {"age": str(n)}), Mark("bus", {"age": str(n)})]) for n in range(60)
    ]
    schema = AGE + AGE.replace("car", "bus")
    passed = run(tmp_path, images, schema=schema).found
    assert "age" not in passed["attributes"]
    assert any("age: a number, passed over" in note for note in passed["notes"])
    quarters = run(tmp_path, images, schema=schema, protected=("age",)).found["attributes"]["age"]
    assert list(quarters["values"].values()) == [30, 30, 30, 30]
    edges = run(tmp_path, images, schema=schema, bins={"age": "18,40"}).found["attributes"]["age"]
    assert edges["values"] == {"below 18": 36, "18 to 40": 44, "40 and more": 40}
    with pytest.raises(UsageError, match="bins: age=many"):
        run(tmp_path, images, schema=schema, bins={"age": "many"})


def test_spellings_of_unknown_are_noted(tmp_path: Path) -> None:
    values = ["day", "night", "NaN", "N/A", "?", "null", "-", "None", "дождь"]
    images = [
        Image(
            f"{n}.jpg",
            [
                Mark("cat狗"[n % 2 : n % 2 + 1], kind="tag"),
                Mark("audit", {"light": values[n % 9]}, kind="tag"),
            ],
        )
        for n in range(180)
    ]
    found = run(tmp_path, images).found
    assert found["attributes"]["light"]["unknown"] == 100
    assert any("None may mean unknown: if so, add --unknown None" in note for note in found["notes"])
    assert len(found["balanced_set"]["cells"]) == 2 * 4
    assert run(tmp_path, images, unknown=("none",)).found["attributes"]["light"]["unknown"] == 120


# Dependence inside an image


def test_light_that_is_drawn_per_image_is_not_found_to_go_with_a_class(tmp_path: Path) -> None:
    """60 images x 12 objects: under independence of the objects 47 % of such data give a finding."""
    wrong = 0
    for seed in range(30):
        draws = np.random.default_rng(seed)
        images = []
        for n in range(60):
            mix = draws.dirichlet([1, 1, 1])
            marks = [Mark(str(draws.choice(["sheep", "goat", "dog"], p=mix))) for _ in range(12)]
            light = str(draws.choice(["day", "night", "dusk"]))
            images.append(Image(f"{n}.jpg", [Mark("audit", {"light": light}, kind="tag"), *marks]))
        found = run(tmp_path, images, condition=("light",)).found
        wrong += any(row["suspicious"] for row in found["associations"])
        assert found["clustered_by"] == "image"
        assert found["clusters"] == 60
    assert wrong <= 4  # 0.05 * 30 + 2 * sqrt(0.05 * 0.95 * 30)


def test_a_cluster_attribute_makes_its_items_one_sample(tmp_path: Path) -> None:
    images = [
        Image(
            f"{n}.jpg",
            [
                Mark("a" if n % 10 < 5 else "b", kind="tag"),
                Mark("audit", {"patient": f"p{n % 10}", "site": "x" if n % 10 < 5 else "y"}, kind="tag"),
            ],
        )
        for n in range(100)
    ]
    alone = run(tmp_path, images, condition=("site",)).found["associations"][0]
    whole = run(tmp_path, images, condition=("site",), cluster="patient").found
    assert alone["p_value"] < 1e-9
    assert whole["clusters"] == 10
    assert whole["associations"][0]["p_value"] > 1e-4


# Predictions


def tags(labels: str, **attributes: str) -> list[Image]:
    return [
        Image(f"{n}.jpg", [Mark({"c": "cat", "d": "dog"}[one], kind="tag")]) for n, one in enumerate(labels)
    ]


SCORES = {
    "zero beats less": "image,prediction,score\n0.jpg,cat,0.0\n0.jpg,dog,-5\n1.jpg,dog,0\n1.jpg,cat,-1\n",
    "a number beats nan": "image,prediction,score\n0.jpg,dog,nan\n0.jpg,cat,0.9\n1.jpg,dog,0.9\n",
    "semicolons": "image;prediction\n0.jpg;cat\n1.jpg;dog\n",
    "tabs": "filename\tlabel\n0.jpg\tcat\n1.jpg\tdog\n",
    "case": "image,prediction\n0.jpg,CAT\n1.jpg, Dog\n",
    "other folders": "image,prediction\n/data/0.jpg,cat\nC:\\data\\1.jpg,dog\n",
}


@pytest.mark.parametrize("kind", SCORES)
def test_predictions_are_read_as_they_are_meant(kind: str, tmp_path: Path) -> None:
    found = run(tmp_path, tags("cd"), SCORES[kind]).found
    assert (rate(found)["n"], rate(found)["errors"]) == (2, 0)


def test_utf_16_is_read(tmp_path: Path) -> None:
    export, csv = tmp_path / "a.xml", tmp_path / "p.csv"
    export.write_text(made.xml(tags("cd")))
    csv.write_bytes("image,prediction\r\n0.jpg,cat\r\n1.jpg,dog\r\n".encode("utf-16"))
    assert rate(findings.audit_file(export, Choices(), csv).found)["errors"] == 0


def test_parquet_is_read_and_its_columns_are_found(tmp_path: Path) -> None:
    export, table = tmp_path / "a.xml", tmp_path / "p.parquet"
    export.write_text(made.xml(tags("cd")))
    columns = {"Image": ["0.jpg", "1.jpg"], "pred": ["cat", "cat"], "score": [0.9, float("nan")]}
    pd.DataFrame(columns).to_parquet(table)
    found = findings.audit_file(export, Choices(), table).found
    assert (rate(found)["errors"], found["items"]) == (1, 2)
    table.write_bytes(b"PAR1 cut short")
    with pytest.raises(UsageError, match=r"^predictions: p\.parquet is no valid parquet"):
        findings.audit_file(export, Choices(), table)


def test_a_parquet_table_of_labels_is_read(tmp_path: Path) -> None:
    table = tmp_path / "labels.parquet"
    pd.DataFrame({"image": ["a", "b"], "label": ["cat", "dog"], "light": ["day", None]}).to_parquet(table)
    dataset = source.read(table)
    assert (dataset.labels, dataset.attributes["light"].values[0]) == (["cat", "dog"], "day")


def test_predictions_of_one_image_are_too_few_to_judge_a_model(tmp_path: Path) -> None:
    audit = run(tmp_path, tags("cd" * 60), "image,prediction\n0.jpg,dog\n")
    found = audit.found
    said = "Only 1 of 120 items have a prediction: too few to say how often the model is wrong."
    assert said in found["summary"]
    assert rate(found)["too_small"]
    with pytest.raises(UsageError, match="only 1 items have a prediction"):
        gate.exceeded(audit.report, ["error > 0.5"])


def test_a_tie_of_two_classes_is_not_judged(tmp_path: Path) -> None:
    found = run(
        tmp_path, tags("cd"), "image,prediction,score\n0.jpg,cat,0.5\n0.jpg,dog,0.5\n1.jpg,dog,1\n"
    ).found
    assert found["predictions"]["tied"] == 1
    assert rate(found)["n"] == 1


STOPPED = {
    "class ids": ("image,prediction\n0.jpg,0\n1.jpg,1\n", "map them with --class-map '0=cat'"),
    "other images": ("image,prediction\nx.jpg,cat\n", "none of the 1 predictions names an image"),
    "other columns": (
        "a,b\n0.jpg,cat\n",
        "lacks the column 'image'; it has: a, b: name it with --image-column",
    ),
    "empty": ("", "p.csv is empty"),
}


@pytest.mark.parametrize("kind", STOPPED)
def test_predictions_that_fit_nothing_stop_the_run(kind: str, tmp_path: Path) -> None:
    text, said = STOPPED[kind]
    with pytest.raises(UsageError) as refused:
        run(tmp_path, tags("cd"), text)
    assert said.replace("p.csv", "predictions.csv") in str(refused.value)


def test_class_map_and_columns_can_be_named(tmp_path: Path) -> None:
    options = Options(image_column="a", prediction_column="b", class_map={"0": "cat", "1": "dog"})
    assert rate(run(tmp_path, tags("cd"), "a,b\n0.jpg,0\n1.jpg,1\n", options=options).found)["errors"] == 0


def test_coco_class_ids_are_known_from_the_export(tmp_path: Path) -> None:
    export, csv = tmp_path / "a.json", tmp_path / "p.csv"
    export.write_text(json.dumps(coco()))
    csv.write_text("image,prediction\na.jpg,1.0\n")
    assert rate(findings.audit_file(export, Choices(), csv).found)["errors"] == 0


@pytest.mark.parametrize("number", ["{0}", "{0}.0"])
def test_an_object_that_nobody_found_is_an_error(number: str, tmp_path: Path) -> None:
    """Half of the persons with dark skin are in no prediction; ``0.0`` is object 0."""
    images = [
        Image(f"{n}.jpg", [Mark("person", {"skin": "dark" if n % 2 else "light"}), Mark("car")])
        for n in range(400)
    ]
    lines = [
        f"{n}.jpg,{number.format(place)},{label}"
        for n in range(400)
        for place, label in enumerate(("person", "car"))
        if label == "car" or n % 4 != 1
    ]
    found = run(tmp_path, images, "\n".join(["image,object,prediction", *lines]), protected=("skin",)).found
    assert (rate(found, skin="dark")["error_rate"], rate(found, skin="light")["error_rate"]) == (0.5, 0.0)
    assert gap(found)["distinguishable"]
    assert gap(found)["sentence"].startswith(
        "skin: dark is wrong 50.0 percentage points more often than light"
    )
    assert found["predictions"]["missed"] == 100


def test_objects_without_ids_are_matched_by_their_place(tmp_path: Path) -> None:
    """CVAT writes 0 as the id of every object into Datumaro (issue 7314)."""
    shapes: list[dict[str, Any]] = [
        {"id": 0, "type": "bbox", "label_id": code, "attributes": {}, "bbox": [0, 0, 1, 1]} for code in (0, 1)
    ]
    document = {
        "categories": {"label": {"labels": [{"name": "car"}, {"name": "bus"}]}},
        "items": [{"id": "a", "image": {"path": "a.jpg"}, "annotations": shapes}],
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    (tmp_path / "p.csv").write_text("image,object,prediction\na.jpg,0,car\na.jpg,1,car\n")
    found = findings.audit_file(tmp_path / "a.json", Choices(), tmp_path / "p.csv").found
    assert (rate(found)["n"], rate(found)["errors"]) == (2, 1)


def test_boxes_are_matched_by_overlap_of_the_same_class_the_surest_first(tmp_path: Path) -> None:
    annotations = [
        {"id": n, "image_id": 1, "category_id": code, "bbox": box}
        for n, (code, box) in enumerate([(1, [0, 0, 10, 10]), (1, [20, 0, 10, 10]), (2, [40, 0, 10, 10])])
    ]
    document = coco(categories=[{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}], annotations=annotations)
    results = [
        {"image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 9], "score": 0.9},  # the first cat
        {"image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "score": 0.3},  # the same cat again
        {"image_id": 1, "category_id": 1, "bbox": [40, 0, 10, 10], "score": 0.8},  # the dog, called a cat
        {"image_id": 1, "category_id": 2, "bbox": [60, 0, 10, 10], "score": 0.0},  # nothing is there
    ]
    (tmp_path / "a.json").write_text(json.dumps(document))
    (tmp_path / "p.json").write_text(json.dumps(results))
    found = findings.audit_file(tmp_path / "a.json", Choices(min_group=1), tmp_path / "p.json").found
    assert (rate(found)["n"], rate(found)["errors"]) == (3, 2)  # one found, one missed, one confused
    assert (found["predictions"]["missed"], found["predictions"]["found_nothing"]) == (1, 2)
    whole = found["confusion"][0]
    assert whole["predicted"] == ["cat", "dog", "nothing"]
    assert whole["matrix"] == {"cat": [1, 0, 1], "dog": [1, 0, 0], "nothing": [1, 1, 0]}


def test_a_less_sure_box_of_the_right_class_beats_a_surer_one_of_the_wrong_class(tmp_path: Path) -> None:
    document = coco(
        categories=[{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        annotations=[{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10]}],
    )
    results = [
        {"image_id": 1, "category_id": code, "bbox": [0, 0, 10, 10], "score": score}
        for code, score in ((2, 0.9), (1, 0.4))
    ]
    (tmp_path / "a.json").write_text(json.dumps(document))
    (tmp_path / "p.json").write_text(json.dumps(results))
    found = findings.audit_file(tmp_path / "a.json", Choices(), tmp_path / "p.json").found
    assert rate(found)["errors"] == 0
    assert found["predictions"]["found_nothing"] == 1


def test_several_labels_of_an_image_are_judged_each(tmp_path: Path) -> None:
    images = [
        Image("a.jpg", [Mark("cat", kind="tag"), Mark("dog", kind="tag")]),
        Image("b.jpg", [Mark("cat", kind="tag")]),
    ]
    found = run(tmp_path, images, "image,prediction\na.jpg,cat\nb.jpg,cat\nb.jpg,dog\n").found
    by_class = {row["class"]: row["errors"] for row in found["error_rates"] if not row["by"] and row["class"]}
    assert by_class == {"cat": 0, "dog": 1}
    assert found["confusion"][0]["matrix"]["nothing"] == [0, 1, 0]


def test_a_class_is_compared_with_the_images_that_lack_it(tmp_path: Path) -> None:
    images = [
        Image(
            f"{n}.jpg",
            [
                Mark("cat", kind="tag"),
                *([Mark("dog", kind="tag")] if n % 2 else []),
                Mark("audit", {"light": "day" if n % 2 else "night"}, kind="tag"),
            ],
        )
        for n in range(80)
    ]
    rows = {row["class"]: row for row in run(tmp_path, images, condition=("light",)).found["associations"]}
    assert (rows["dog"]["counts"], rows["dog"]["rest"]) == ({"night": 0, "day": 40}, {"night": 40, "day": 0})
    assert rows["cat"]["p_value"] is None  # every image has one


# Gaps


def predicted_images(groups: dict[str, tuple[int, int]], name: str = "site") -> tuple[list[Image], str]:
    """Images with a tag each: of each group how many, and how many of them are predicted wrongly."""
    images, lines = [], ["image,prediction"]
    for group, (count, wrong) in groups.items():
        for n in range(count):
            label = "ab"[n % 2]
            marks = [Mark(label, kind="tag"), Mark("audit", {name: group}, kind="tag")]
            images.append(Image(f"{group}{n}", marks))
            lines.append(f"{group}{n},{'ba'[n % 2] if n < wrong else label}")
    return images, "\n".join(lines)


def test_noise_between_many_groups_is_not_distinguishable(tmp_path: Path) -> None:
    draws = np.random.default_rng(3)
    images, text = predicted_images({f"s{n:02}": (40, int(draws.binomial(40, 0.17))) for n in range(20)})
    row = gap(run(tmp_path, images, text, protected=("site",)).found)
    assert row["difference"] > 0.15
    assert not row["distinguishable"]
    assert row["ci_low"] < 0 < row["ci_high"]
    assert "not distinguishable" in row["sentence"]


def test_false_gaps_keep_their_level(tmp_path: Path) -> None:
    wrong = 0
    for seed in range(40):
        draws = np.random.default_rng(seed)
        images, text = predicted_images({name: (60, int(draws.binomial(60, 0.2))) for name in "xyz"})
        wrong += gap(run(tmp_path, images, text, protected=("site",), metrics=("error",)).found)[
            "distinguishable"
        ]
    assert wrong <= 4  # 0.05 * 40 + 2 * sqrt(0.05 * 0.95 * 40), rounded down


def test_equal_groups_have_neither_a_worst_nor_a_best(tmp_path: Path) -> None:
    images, text = predicted_images({"x": (40, 4), "y": (40, 4)})
    row = gap(run(tmp_path, images, text, protected=("site",)).found)
    assert (row["difference"], row["worst"], row["best"]) == (0.0, None, None)
    assert row["sentence"] == "site: the error rate is the same in all groups"


def test_a_rate_needs_enough_of_what_it_is_a_rate_of(tmp_path: Path) -> None:
    """One positive in a group of 30 is no true positive rate of the group."""
    images = [
        Image(
            f"s{n}",
            [Mark("yes" if n == 0 else "no", kind="tag"), Mark("audit", {"group": "small"}, kind="tag")],
        )
        for n in range(30)
    ]
    images += [
        Image(
            f"b{n}", [Mark("yes" if n % 2 else "no", kind="tag"), Mark("audit", {"group": "big"}, kind="tag")]
        )
        for n in range(200)
    ]
    lines = [
        "s0,no",
        *(f"s{n},no" for n in range(1, 30)),
        *(f"b{n},{'yes' if n % 2 else 'no'}" for n in range(200)),
    ]
    found = run(tmp_path, images, "\n".join(["image,prediction", *lines]), protected=("group",)).found
    [row] = [row for row in found["fairness"] if row["class"] == "yes"]
    assert row["groups"]["small"]["true_positive_rate"] is None
    assert row["groups"]["big"]["true_positive_rate"] == 1.0
    assert row["equalized_odds_difference"] is None


def test_a_reversal_within_another_attribute_is_found(tmp_path: Path) -> None:
    """A is better on small stones (6.9 to 13.3 %) and on large ones (27 to 31.3 %), and worse over all."""
    cells = {
        ("A", "small"): (87, 6),
        ("A", "large"): (263, 71),
        ("B", "small"): (270, 36),
        ("B", "large"): (80, 25),
    }
    images, lines = [], ["image,prediction"]
    for (model, size), (count, wrong) in cells.items():
        for n in range(count):
            label, name = ("stone", "none")[n % 2], f"{model}{size}{n}"
            marks = [Mark(label, kind="tag"), Mark("audit", {"model": model, "size": size}, kind="tag")]
            images.append(Image(name, marks))
            lines.append(f"{name},{('none', 'stone')[n % 2] if n < wrong else label}")
    found = run(tmp_path, images, "\n".join(lines), protected=("model",), condition=("size",)).found
    row = next(row for row in found["gaps"] if row["attribute"] == "model" and row["metric"] == "error")
    assert (row["worst"], row["reversal"]["attribute"]) == ("A", "size")
    within = {
        one["value"]: (round(one["worst"], 3), round(one["best"], 3)) for one in row["reversal"]["strata"]
    }
    assert within == {"small": (0.069, 0.133), "large": (0.27, 0.312)}
    assert "the other way round" in found["summary"][3]
    assert found["summary"][4].startswith("By size, the model is wrong most often for large: 16.2 percentage")


def test_the_terminal_says_why_images_are_not_in_the_balanced_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lights = [Mark("audit", {"light": light}, kind="tag") for light in ("day", "night", "day", "night")]
    images = [Image(f"{n}", [Mark("car"), Mark("person"), light]) for n, light in enumerate(lights)]
    terminal.show(run(tmp_path, images, condition=("light",), additional=("audit",)).report)
    said = " ".join(capsys.readouterr().out.split())
    assert "balanced set: 0 images" in said
    assert "left out: 4 images (several classes)" in said
    assert "No suspicious pairs balanced set" in said


def test_the_worst_crossing_of_noise_does_not_stand_out(tmp_path: Path) -> None:
    draws = np.random.default_rng(8)
    images, text = predicted_images({f"s{n:02}": (40, int(draws.binomial(40, 0.2))) for n in range(20)})
    found = run(tmp_path, images, text, protected=("site",)).found
    assert not any(row["differs"] for row in found["error_rates"])
    images, text = predicted_images({"x": (100, 60), **{f"s{n}": (100, 10) for n in range(10)}})
    differs = [
        row["by"]
        for row in run(tmp_path, images, text, protected=("site",)).found["error_rates"]
        if row["differs"]
    ]
    assert {"site": "x"} in differs


def test_objects_of_one_image_widen_the_interval_of_a_rate(tmp_path: Path) -> None:
    """12 objects an image that are right or wrong together tell as much as one."""
    images = [Image(f"{n}.jpg", [Mark("car"), *[Mark("bus")] * 11]) for n in range(50)]
    lines = [
        f"{n}.jpg,{place},{('car' if place == 0 else 'bus') if n % 5 else 'x'}"
        for n in range(50)
        for place in range(12)
    ]
    row = rate(run(tmp_path, images, "\n".join(["image,object,prediction", *lines])).found)
    assert row["n"] == 600
    assert row["effective"] == pytest.approx(49, abs=1)
    assert row["ci_high"] - row["ci_low"] > 0.2


# Balanced sets


def test_an_independent_set_is_larger_than_one_of_equal_cells(tmp_path: Path) -> None:
    counts = {("a", "x"): 100, ("a", "y"): 50, ("b", "x"): 60, ("b", "y"): 30}
    images = [
        Image(f"{label}{value}{n}", [Mark(label, kind="tag"), Mark("audit", {"light": value}, kind="tag")])
        for (label, value), count in counts.items()
        for n in range(count)
    ]
    one = run(tmp_path, images, condition=("light",)).found["balanced_set"]
    assert len(one["files"]) == 4 * 30
    taken = {(cell["class"], cell["light"]): cell["images"] for cell in one["independent"]["cells"]}
    assert taken == counts  # they are independent already: all of them
    assert len(one["independent"]["files"]) == 240


def test_an_empty_set_says_what_to_leave_out(tmp_path: Path) -> None:
    counts = {("a", "x"): 40, ("a", "y"): 40, ("b", "x"): 40, ("b", "y"): 40, ("c", "x"): 40, ("c", "y"): 0}
    images = [
        Image(f"{label}{value}{n}", [Mark(label, kind="tag"), Mark("audit", {"light": value}, kind="tag")])
        for (label, value), count in counts.items()
        for n in range(count)
    ]
    one = run(tmp_path, images, condition=("light",)).found["balanced_set"]
    assert one["files"] == []
    assert one["leave_out"] == [{"attribute": "class", "value": "c", "images": 160}]


# Size, odd content


def test_a_thousand_classes_with_predictions(tmp_path: Path) -> None:
    images = [
        Image(
            f"{n}",
            [Mark(f"c{n % 1000:04}", kind="tag"), Mark("audit", {"light": "ab"[n % 7 < 3]}, kind="tag")],
        )
        for n in range(2000)
    ]
    lines = [f"{n},c{(n + n % 3 // 2) % 1000:04}" for n in range(2000)]
    found = run(tmp_path, images, "\n".join(["image,prediction", *lines])).found
    assert rate(found)["errors"] == sum(n % 3 == 2 for n in range(2000))
    assert len(found["fairness"]) == 1000


def test_a_site_of_998_values_is_said_to_differ_as_a_whole(tmp_path: Path) -> None:
    images = [
        Image(
            f"{n}",
            [Mark(("cat", "dog")[n % 2], kind="tag"), Mark("audit", {"site": f"s{n % 998:04}"}, kind="tag")],
        )
        for n in range(3992)
    ]
    [row] = [
        row for row in run(tmp_path, images).found["associations"] if row["suspicious"] and not row["repeats"]
    ]
    assert row["cramers_v"] == 1.0
    assert row["sentence"] == "site differs between class dog and the other classes, spread over 499 values"


def test_cells_that_a_spreadsheet_would_run_are_text(tmp_path: Path) -> None:
    images = [
        Image(
            f"=HYPERLINK({n})",
            [Mark(("cat", "=1+1")[n % 2], kind="tag"), Mark("audit", {"x": "@a"}, kind="tag")],
        )
        for n in range(4)
    ]
    findings.write(run(tmp_path, images), tmp_path / "out")
    for line in (tmp_path / "out" / "weights.csv").read_text().splitlines()[1:]:
        assert line.startswith("'=HYPERLINK")
        assert ",'@a," in line


def test_two_items_are_no_reason_to_fail(tmp_path: Path) -> None:
    found = run(tmp_path, tags("cd"), "image,prediction\n0.jpg,dog\n1.jpg,dog\n").found
    assert rate(found)["errors"] == 1
    assert len(found["summary"]) <= 5

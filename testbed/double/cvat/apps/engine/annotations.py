"""Annotations of a job, and of a task as the sum of its jobs (cvat/apps/dataset_manager/task.py)."""

from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError as Refused

from cvat.apps.engine import rows
from cvat.apps.engine.models import (
    AttributeSpec,
    Job,
    LabeledImage,
    LabeledImageAttributeVal,
    LabeledShape,
    LabeledShapeAttributeVal,
    Project,
    Task,
)
from cvat.apps.engine.unknown import NotInTheDoubleError

SOURCES = ("auto", "semi-auto", "manual", "file", "consensus")
POINTS = {
    "rectangle": lambda count: count == 4,
    "ellipse": lambda count: count == 4,
    "polygon": lambda count: count >= 6 and count % 2 == 0,
    "polyline": lambda count: count >= 4 and count % 2 == 0,
    "points": lambda count: count >= 2 and count % 2 == 0,
    "cuboid": lambda count: count == 16,
    "mask": lambda count: count >= 5,
}
"""How many numbers each type takes."""


def jobs_of(found):
    if isinstance(found, Job):
        return [found]
    return list(Job.objects.filter(segment__task=found).select_related("segment").order_by("id"))


def read(found):
    """``{"version", "tags", "shapes", "tracks", "intervals"}`` of a job or a task."""
    jobs = jobs_of(found)
    defaults = _defaults(found)
    return {
        "version": 0,
        "tags": [_tag(tag, defaults) for tag in _stored(LabeledImage, jobs)],
        "shapes": [_shape(shape, defaults) for shape in _stored(LabeledShape, jobs)],
        "tracks": [],
        "intervals": [],
    }


def _stored(model, jobs):
    return model.objects.filter(job__in=jobs).prefetch_related("attributes").order_by("frame", "id")


def _defaults(found):
    """Per label the default value of each attribute: shown where an annotation has no row of its own."""
    defaults = {label.id: {} for label in rows.labels_of(found)}
    for spec in AttributeSpec.objects.filter(label__in=list(defaults)).order_by("id"):
        defaults[spec.label_id][spec.id] = spec.default_value
    return defaults


def _tag(found, defaults):
    own = {value.spec_id: value.value for value in found.attributes.all()}
    every = {**own, **{key: text for key, text in defaults[found.label_id].items() if key not in own}}
    return {
        "id": found.id,
        "frame": found.frame,
        "label_id": found.label_id,
        "group": found.group or 0,
        "source": found.source,
        "attributes": [{"spec_id": key, "value": value} for key, value in every.items()],
    }


def _shape(found, defaults):
    return {
        **_tag(found, defaults),
        "type": found.type,
        "occluded": found.occluded,
        "outside": found.outside,
        "z_order": found.z_order,
        "rotation": found.rotation,
        "points": [float(number) for number in found.points.split(",")],
        "score": found.score,
        "elements": [],
    }


@transaction.atomic
def replace(found, body):
    """PUT: what is given instead of what is there."""
    remove(found)
    return _insert(found, _checked(body, found, without_id=True))


@transaction.atomic
def create(found, body):
    return _insert(found, _checked(body, found, without_id=True))


@transaction.atomic
def update(found, body):
    """The rows with the given ids go, the given ones come under new ids."""
    body = _checked(body, found)
    _remove_rows(found, body)
    return _insert(found, body)


@transaction.atomic
def delete(found, body):
    _remove_rows(found, body)
    return {"version": 0, "tags": [], "shapes": [], "tracks": [], "intervals": [], **body}


@transaction.atomic
def remove(found):
    for model in (LabeledImage, LabeledShape):
        model.objects.filter(job__in=jobs_of(found)).delete()


def _remove_rows(found, body):
    for model, name in ((LabeledImage, "tags"), (LabeledShape, "shapes")):
        ids = [row["id"] for row in body.get(name, []) if row.get("id")]
        model.objects.filter(job__in=jobs_of(found), id__in=ids).delete()


def _checked(body, found, *, without_id=False):
    """The rows of ``body``, complete, each with the job that its frame belongs to."""
    if body.get("tracks"):
        raise NotInTheDoubleError("tracks")
    if body.get("intervals"):
        raise NotInTheDoubleError("intervals")
    specs, jobs = _defaults(found), jobs_of(found)
    tags = [_named("tags", _base, row, specs, without_id) for row in body.get("tags", [])]
    shapes = [
        {**_named("shapes", _base, row, specs, without_id), **_named("shapes", _form, row)}
        for row in body.get("shapes", [])
    ]
    for row in (*tags, *shapes):
        row["jobs"] = [job for job in jobs if _covers(job, row["frame"])]
    return {"tags": tags, "shapes": shapes}


def _named(kind, check, *given):
    """As a nested serializer: what it refuses of a field stands under the name of the list."""
    try:
        return check(*given)
    except Refused as error:
        raise Refused({kind: [error.detail]} if isinstance(error.detail, dict) else error.detail) from None


def _covers(job, frame):
    return job.segment.start_frame <= frame <= job.segment.stop_frame


def _base(row, specs, without_id):
    for field in ("label_id", "frame"):
        if field not in row:
            raise Refused({field: ["This field is required."]})
    for field in ("frame", "group"):
        if (row.get(field) or 0) < 0:
            raise Refused({field: ["Ensure this value is greater than or equal to 0."]})
    if without_id and row.get("id") is not None:
        raise Refused({"id": ["must be absent"]})
    if row["label_id"] not in specs:
        raise Refused([f"label_id `{row['label_id']}` is invalid"])
    attributes = _values(row, specs[row["label_id"]])
    source = row.get("source", "manual")
    if source not in SOURCES:
        known = ", ".join(f"'{one}'" for one in SOURCES)
        raise Refused({"source": [f"must be one of {known}, got '{source}'"]})
    return {
        "id": row.get("id"),
        "label_id": row["label_id"],
        "frame": row["frame"],
        "group": row.get("group") or 0,
        "source": source,
        "attributes": attributes,
    }


def _values(row, specs):
    """The values of a row's attributes by the attribute's id."""
    values = {value["spec_id"]: str(value["value"]) for value in row.get("attributes", [])}
    for spec, value in values.items():
        if len(value) > 4096:
            refused = "Ensure this field has no more than 4096 characters."
            raise Refused({"attributes": [{"value": [refused]}]})
        if spec not in specs:
            raise Refused([f"spec_id `{spec}` is invalid"])
    return values


def _form(row):
    kind, points = row.get("type"), row.get("points", [])
    if kind == "skeleton":
        raise NotInTheDoubleError("skeletons")
    if kind not in POINTS:
        raise Refused({"type": [f'"{kind}" is not a valid choice.']})
    if not POINTS[kind](len(points)):
        raise Refused({"points": [f"invalid length for shape type '{kind}'"]})
    for field, most in (("rotation", 360), ("score", 1)):
        if not 0 <= row.get(field, 0) <= most:
            bound = f"less than or equal to {most}" if row[field] > most else "greater than or equal to 0"
            raise Refused({field: [f"Ensure this value is {bound}."]})
    return {
        "type": kind,
        "occluded": row.get("occluded", False),
        "outside": row.get("outside", False),
        "z_order": row.get("z_order", 0),
        "rotation": row.get("rotation", 0),
        "points": [float(number) for number in points],
        "score": row.get("score", 1),
    }


def _insert(found, body):
    for row in body["tags"]:
        for job in row["jobs"]:
            _save(LabeledImage, LabeledImageAttributeVal, "image", job, row)
    for row in body["shapes"]:
        for job in row["jobs"]:
            _save(LabeledShape, LabeledShapeAttributeVal, "shape", job, row)
    touched = {job.id for row in (*body["tags"], *body["shapes"]) for job in row["jobs"]}
    _touch(found, touched)
    return _answer(body)


def _save(model, values, field, job, row):
    columns = {key: value for key, value in row.items() if key not in ("id", "attributes", "jobs")}
    if "points" in columns:
        columns["points"] = ",".join(map(str, columns["points"]))
    saved = model.objects.create(job=job, **columns)
    row["id"] = saved.id
    values.objects.bulk_create(
        values(spec_id=spec, value=value, job=job, **{field: saved})
        for spec, value in row["attributes"].items()
    )


def _touch(found, jobs):
    """Saving annotations is a change of their job, task and project."""
    now = timezone.now()
    Job.objects.filter(id__in=jobs).update(updated_date=now)
    task = found if isinstance(found, Task) else found.task
    Task.objects.filter(id=task.id).update(updated_date=now)
    Project.objects.filter(id=task.project_id).update(updated_date=now)


def _answer(body):
    def shown(row, extra):
        attributes = [{"spec_id": key, "value": value} for key, value in row["attributes"].items()]
        return {
            **{key: value for key, value in row.items() if key != "jobs"},
            "attributes": attributes,
            **extra,
        }

    return {
        "version": 0,
        "tags": [shown(row, {}) for row in body["tags"]],
        "shapes": [shown(row, {"elements": []}) for row in body["shapes"]],
        "tracks": [],
        "intervals": [],
    }

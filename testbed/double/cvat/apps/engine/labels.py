"""Making and changing labels, as inside of ``labels`` when a project or task is created or patched."""

import hashlib

from django.db import IntegrityError, transaction
from rest_framework.exceptions import NotFound
from rest_framework.exceptions import ValidationError as Refused

from cvat.apps.engine.models import AttributeSpec, Label, Skeleton

INPUT_TYPES = {"checkbox", "radio", "number", "text", "select"}
TYPES = {
    *("any", "rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "tag", "skeleton"),
}
FIXED = ("mutable", "input_type")


def parent_of(found):
    """``{"project": found}`` or ``{"task": found}``."""
    return {type(found).__name__.lower(): found}


NAME, DEFAULT, VALUE = 64, 128, 200
"""How many characters fit (cvat/apps/engine/models.py, AttributeSerializer)."""


def of(body):
    """The labels of a request's body."""
    rows = body.get("labels", [])
    if rows is None:
        raise Refused({"labels": ["This field may not be null."]})
    return rows


def _fits(where, text, length):
    if len(text) > length:
        refused = f"Ensure this field has no more than {length} characters."
        for name in reversed(where):
            refused = {name: [refused]}
        raise Refused(refused)


@transaction.atomic
def create(rows, parent):
    for row in rows:
        _checked_deletion(row)
        _new(row, parent)


@transaction.atomic
def update(rows, parent, root=None):
    """Rows with ``id`` change or, with ``deleted``, remove a label; others are new. ``root``: of points."""
    for row in rows:
        _checked_deletion(row)
        if row.get("id") is None:
            _new(row, parent, root)
        else:
            _change(row, parent, root)


def _checked_deletion(row):
    if row.get("deleted") and row.get("id") is None:
        raise Refused({"labels": [{"non_field_errors": ["Deleted label must have an ID"]}]})


def _checked_type(row):
    kind = row.get("type", "any")
    if kind not in TYPES:
        raise Refused({"labels": [{"type": [f'"{kind}" is not a valid choice.']}]})
    return kind


def _new(row, parent, root=None):
    if not str(row.get("name") or "").strip():
        blank = "This field may not be blank." if "name" in row else "This field is required."
        raise Refused({"labels": [{"name": [blank]}]})
    _fits(("labels", "name"), row["name"], NAME)
    place = {"parent": root, **parent_of(parent)}
    label = Label(name=row["name"].strip(), type=_checked_type(row), color=row.get("color") or "", **place)
    label.color = label.color or _color(label.name)
    _saved(label)
    for point in row.get("sublabels", []):
        _new(point, parent, label)
    if label.type == "skeleton":
        Skeleton.objects.create(root=label, svg=_with_ids(row.get("svg", ""), label))
    _unique([attribute.get("name") for attribute in row.get("attributes", [])])
    for attribute in row.get("attributes", []):
        _new_attribute(label, attribute)


def _with_ids(svg, label):
    """As in LabelSerializer.create_labels: the bare name is looked for, only when a skeleton is made."""
    for point in label.sublabels.all():
        svg = svg.replace(f'data-label-name="{point.name}"', f'data-label-id="{point.id}"')
    return svg


def _saved(label):
    try:
        with transaction.atomic():
            label.save()
    except IntegrityError:
        raise Refused(["All label names must be unique"]) from None


def _color(name):
    return "#" + hashlib.sha256(name.encode()).hexdigest()[:6]


def _change(row, parent, root):
    of_root = {"parent": root} if root else {}
    label = Label.objects.filter(id=row["id"], **of_root, **parent_of(parent)).first()
    if label is None:
        raise NotFound(f"Not found label with id #{row['id']} to change")
    if row.get("deleted"):
        label.delete()
        return
    kind = _checked_type({**row, "type": row.get("type") or label.type})
    if "skeleton" not in (kind, label.type):
        label.type = kind
    label.name = row.get("name") or label.name
    label.color = row.get("color") or _color(label.name)  # as in CVAT: without a color, one is chosen anew
    _saved(label)
    update(row.get("sublabels", []), parent, label)
    _change_attributes(label, row.get("attributes", []))


def _change_attributes(label, rows):
    """As in LabelSerializer.update_label: the deleted ones go first, so that another may take their name."""
    kept = [row for row in rows if not row.get("deleted")]
    _unique([row["name"] for row in kept if "name" in row])
    for row in rows:
        if row.get("deleted"):
            if row.get("id") is None:
                raise Refused(["Deleted attribute must have an ID"])
            _spec(label, row["id"]).delete()
    _names_available(label, kept)
    for row in kept:
        _one_attribute(label, row)


def _names_available(label, rows):
    """As in LabelSerializer.check_attribute_names_available: two names are not swapped, none is taken."""
    present = dict(label.attributespec_set.values_list("name", "id"))
    asked = {row["id"]: row["name"] for row in rows if row.get("id") is not None and row.get("name")}
    taken = {name: present[name] for key, name in asked.items() if present.get(name, key) != key}
    if swapped := [name for name, owner in taken.items() if owner in asked]:
        raise Refused([f"Cannot swap attribute names {_quoted(swapped)}"])
    if taken:
        raise Refused([f"Attribute names are already used by this label: {_quoted(taken)}"])


def _quoted(names):
    return ", ".join(f'"{name}"' for name in names)


def _unique(names):
    for name in names:
        if names.count(name) > 1:
            raise Refused([f"Duplicate attribute with name '{name}' exists"])


def _spec(label, number):
    found = label.attributespec_set.filter(id=number).first()
    if found is None:
        raise NotFound(f"Attribute with id #{number} does not exist")
    return found


def _one_attribute(label, row):
    if row.get("id") is None:
        spec = label.attributespec_set.filter(name=row.get("name")).first()
    else:
        spec = _spec(label, row["id"])
    if spec is None:
        _new_attribute(label, row)
    else:
        _change_attribute(spec, row)


def _new_attribute(label, row):
    missing = [name for name in ("name", "mutable", "input_type", "values") if name not in row]
    if missing:
        refused = {name: ["This field is required."] for name in missing}
        raise Refused({"labels": [{"attributes": [refused]}]})
    if row["input_type"] not in INPUT_TYPES:
        wrong = f'"{row["input_type"]}" is not a valid choice.'
        raise Refused({"labels": [{"attributes": [{"input_type": [wrong]}]}]})
    _check_lengths(row)
    AttributeSpec.objects.create(
        label=label,
        name=row["name"],
        mutable=row["mutable"],
        input_type=row["input_type"],
        default_value=row.get("default_value") or "",
        values="\n".join(row["values"]),
    )


def _check_lengths(row):
    _fits(("labels", "attributes", "name"), row.get("name") or "", NAME)
    _fits(("labels", "attributes", "default_value"), row.get("default_value") or "", DEFAULT)
    for value in row.get("values") or []:
        _fits(("labels", "attributes", "values"), value, VALUE)


def _change_attribute(spec, row):
    _check_lengths(row)
    for field in FIXED:
        if field in row and row[field] != getattr(spec, field):
            raise Refused([f'Attribute field "{field}" cannot be changed'])
    if "values" in row:
        _check_values(spec, row["values"])
        spec.values = "\n".join(row["values"])
    spec.name = row.get("name", spec.name)
    if row.get("default_value", spec.default_value) != spec.default_value:
        _check_default(spec, row["default_value"])
        spec.default_value = row["default_value"]
    spec.save()


def _check_values(spec, values):
    before = spec.values.split("\n") if spec.values else []
    if spec.input_type in ("radio", "select") and not set(before) <= set(values):
        raise Refused(['Attribute field "values" can only be appended for radio and select attributes'])
    if spec.input_type == "number" and before != values:
        raise Refused(['Attribute field "values" cannot be changed for number attributes'])


def _check_default(spec, value):
    options = spec.values.split("\n")
    try:
        fits = {
            "text": lambda: True,
            "checkbox": lambda: value.lower() in ("true", "false"),
            "number": lambda: float(options[0]) <= float(value) <= float(options[1]),
        }.get(spec.input_type, lambda: value in options)()
    except (ValueError, IndexError):
        fits = False
    if not fits:
        raise Refused(['Attribute field "default_value" is invalid for attribute input type'])

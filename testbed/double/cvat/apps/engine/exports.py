"""The format "CVAT for images 1.1" (cvat/apps/dataset_manager/formats/cvat.py and bindings.py at v2.73.0)."""

import zipfile
from xml.sax.saxutils import XMLGenerator

from django.conf import settings
from django.utils import timezone

from cvat.apps.engine import annotations, rows
from cvat.apps.engine.models import AttributeSpec, Job, Project, Segment

FORMAT = "CVAT for images 1.1"
DEFAULT_SUBSET = "default"
ELEMENTS = {"rectangle": "box"}
"""Names of shapes in the file where they differ from their type."""
CUBOID = [f"{axis}{corner}{side}" for side in (1, 2) for corner in ("tl", "bl", "tr", "br") for axis in "xy"]


def write(found, path, host, *, with_images):
    """A zip with annotations.xml and, when wanted, the images."""
    tasks = _tasks(found)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if with_images:
            for task in tasks:
                _add_images(archive, found, task)
        with archive.open("annotations.xml", "w") as file:
            _document(_Xml(file), found, tasks, host)


def _tasks(found):
    if isinstance(found, Project):
        return list(found.tasks.exclude(data=None).order_by("subset", "id"))
    return [found.task if isinstance(found, Job) else found]


def _frames(found, task):
    images = task.data.images.order_by("frame")
    if isinstance(found, Job):
        images = images.filter(frame__range=(found.segment.start_frame, found.segment.stop_frame))
    return images


def _add_images(archive, found, task):
    folder = f"images/{task.subset or DEFAULT_SUBSET}" if isinstance(found, Project) else "images"
    for image in _frames(found, task):
        archive.write(settings.SHARE_ROOT / image.path, f"{folder}/{image.path}")


class _Xml:
    """Elements with two spaces a level, as CVAT's own writer lays them out."""

    def __init__(self, file):
        self.out = XMLGenerator(file, "utf-8", short_empty_elements=False)
        self.level = 0
        self.out.startDocument()

    def line(self):
        self.out.ignorableWhitespace("\n" + "  " * self.level)

    def open(self, name, attributes=()):
        self.line()
        self.out.startElement(name, dict(attributes))
        self.level += 1

    def close(self, name):
        self.level -= 1
        self.line()
        self.out.endElement(name)

    def text(self, name, text, attributes=()):
        self.line()
        self.out.startElement(name, dict(attributes))
        self.out.characters(str(text))
        self.out.endElement(name)

    def tree(self, pairs):
        """Nested pairs: a list is a folder, anything else text."""
        for name, value in pairs:
            if isinstance(value, list):
                self.open(name)
                self.tree(value)
                self.close(name)
            else:
                self.text(name, value)


def _document(xml, found, tasks, host):
    xml.level = 0
    xml.out.startElement("annotations", {})
    xml.level = 1
    xml.text("version", "1.1")
    xml.open("meta")
    xml.tree([*_meta(found, host), ("dumped", timezone.localtime())])
    xml.close("meta")
    for task in tasks:
        _images(xml, found, task)
    xml.close("annotations")
    xml.out.ignorableWhitespace("\n")
    xml.out.endDocument()


def _meta(found, host):
    if isinstance(found, Project):
        return [("project", _project_meta(found, host))]
    if isinstance(found, Job):
        return [("job", [*_job_meta(found, host), ("labels", _labels(found))])]
    return [("task", [*_task_meta(found, host), ("labels", _labels(found))])]


def _person(user):
    return [("username", user.username), ("email", user.email)] if user else ""


def _project_meta(found, host):
    tasks = _tasks(found)
    subsets = sorted({task.subset for task in tasks})
    return [
        ("id", found.id),
        ("name", found.name),
        ("bugtracker", found.bug_tracker),
        ("created", timezone.localtime(found.created_date)),
        ("updated", timezone.localtime(found.updated_date)),
        ("tasks", [("task", _task_meta(task, host)) for task in tasks]),
        ("subsets", "\n".join(subset or DEFAULT_SUBSET for subset in subsets)),
        ("owner", _person(found.owner)),
        ("assignee", _person(found.assignee)),
        ("labels", _labels(found)),
    ]


def _part_meta(task, updated, size, first, last):
    return [
        ("size", size),
        ("mode", task.mode),
        ("overlap", task.overlap),
        ("bugtracker", task.bug_tracker),
        ("created", timezone.localtime(task.created_date)),
        ("updated", timezone.localtime(updated)),
        ("subset", task.subset or DEFAULT_SUBSET),
        ("start_frame", first),
        ("stop_frame", last),
        ("frame_filter", task.data.frame_filter),
    ]


def _task_meta(task, host):
    segments = Segment.objects.filter(task=task).order_by("id")
    return [
        ("id", task.id),
        ("name", task.name),
        *_part_meta(task, task.updated_date, task.data.size, task.data.start_frame, task.data.stop_frame),
        ("segments", [("segment", _segment(segment, host)) for segment in segments]),
        ("owner", _person(task.owner)),
        ("assignee", _person(task.assignee)),
    ]


def _job_meta(job, host):
    first, last = job.segment.start_frame, job.segment.stop_frame
    return [
        ("id", job.id),
        *_part_meta(job.task, job.updated_date, last - first + 1, first, last),
        ("segments", [("segment", _segment(job.segment, host))]),
        ("owner", _person(job.task.owner)),
        ("assignee", _person(job.assignee)),
    ]


def _segment(segment, host):
    return [
        ("id", segment.id),
        ("start", segment.start_frame),
        ("stop", segment.stop_frame),
        ("url", f"{host}/api/jobs/{segment.job_set.first().id}"),
    ]


def _labels(found):
    """Points of skeletons are labels of their own here, with their skeleton's name."""
    roots = rows.labels_of(found)
    every = [one for root in roots for one in (root, *root.sublabels.order_by("id"))]
    return [("label", _label(label)) for label in every]


def _label(label):
    return [
        ("name", label.name),
        ("color", label.color),
        ("type", label.type),
        ("attributes", [("attribute", _spec(spec)) for spec in _specs(label)]),
        *([("parent", label.parent.name)] if label.parent else []),
        *([("svg", _with_names(label))] if label.type == "skeleton" else []),
    ]


def _with_names(label):
    svg = label.skeleton.svg
    for point in label.sublabels.all():
        svg = svg.replace(f'data-label-id="{point.id}"', f'data-label-name="{point.name}"')
    return svg


def _specs(label):
    return label.attributespec_set.order_by("id")


def _spec(spec):
    return [
        (name, getattr(spec, name)) for name in ("name", "mutable", "input_type", "default_value", "values")
    ]


def _images(xml, found, task):
    stored = annotations.read(found if isinstance(found, Job) else task)
    names = {label.id: label.name for label in rows.labels_of(found)}
    specs = dict(AttributeSpec.objects.filter(label__in=list(names)).values_list("id", "name"))
    for image in _frames(found, task):
        place = {"subset": task.subset or DEFAULT_SUBSET, "task_id": task.id}
        head = {"id": image.frame, "name": image.path, **(place if isinstance(found, Project) else {})}
        xml.open("image", _strings({**head, "width": image.width, "height": image.height}))
        shapes = [shape for shape in stored["shapes"] if shape["frame"] == image.frame]
        for shape in sorted(shapes, key=lambda one: one["z_order"]):
            name = ELEMENTS.get(shape["type"], shape["type"])
            _one(xml, name, _head(shape, names, shape), shape, specs)
        for tag in stored["tags"]:
            if tag["frame"] == image.frame:
                _one(xml, "tag", _head(tag, names), tag, specs)
        xml.close("image")


def _strings(pairs):
    return {name: str(value) for name, value in pairs.items()}


def _head(row, names, shape=None):
    head = {"label": names[row["label_id"]], "source": row["source"]}
    if shape:
        head |= {"occluded": int(shape["occluded"]), **_geometry(shape), "z_order": shape["z_order"]}
    if row["group"]:
        head["group_id"] = row["group"]
    return _strings(head)


def _one(xml, name, head, row, specs):
    xml.open(name, head)
    for value in row["attributes"]:
        xml.text("attribute", value["value"], {"name": specs[value["spec_id"]]})
    xml.close(name)


def _two(number):
    return f"{number:.2f}"


def _geometry(shape):
    points, kind = shape["points"], shape["type"]
    turned = {"rotation": _two(shape["rotation"])} if shape["rotation"] else {}
    if kind == "rectangle":
        return {**dict(zip(("xtl", "ytl", "xbr", "ybr"), map(_two, points), strict=True)), **turned}
    if kind == "ellipse":
        x, y, right, top = points
        radii = {"cx": x, "cy": y, "rx": right - x, "ry": y - top}
        return {**{name: _two(number) for name, number in radii.items()}, **turned}
    if kind == "cuboid":
        return dict(zip(CUBOID, map(_two, points), strict=True))
    if kind == "mask":
        return _mask(points)
    pairs = zip(points[::2], points[1::2], strict=True)
    return {"points": ";".join(f"{_two(x)},{_two(y)}" for x, y in pairs)}


def _mask(points):
    *runs, left, top, right, bottom = map(int, points)
    size = {"left": left, "top": top, "width": right - left + 1, "height": bottom - top + 1}
    return {"rle": ", ".join(map(str, runs)), **size}

"""The labels file: its keys, limits and error messages.

The limits are those of CVAT (``cvat/apps/engine/models.py``, ``serializers.py``).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from labelspace_ops.labels.audit_choices import AUDIT_LABEL

LabelType = Literal[
    "any", "rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "tag", "skeleton"
]  # fmt: skip
Input = Literal["select", "radio", "checkbox", "number", "text"]
Kind = Literal["condition", "protected"]
Group = Literal["worker", "user"]

UNKNOWN = "unknown"
"""The value of an audit attribute that nobody set: every audit attribute has it, as its default."""
LONGEST_VALUES = 4096
CHOICES = ("select", "radio")
SKELETON = "skeleton"
NOT_IN_POINTS = '"&<>'
"""Characters that a point's name cannot have: CVAT searches the XML of the drawing for the plain name."""

_COLOR = re.compile(r"#[0-9a-f]{6}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def _text(value: Any) -> Any:
    """Accept numbers as text, and refuse truth values: YAML reads ``no`` as false."""
    if isinstance(value, bool):
        raise ValueError("YAML reads yes, no, on, off, true and false as a truth value: put it in quotes")
    return str(value) if isinstance(value, int | float) else value


def _truth(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else _text(value)


def _plain(value: str) -> str:
    if value != value.strip() or any(ord(char) < 32 for char in value):
        raise ValueError("no spaces at its ends, no line breaks")
    return value


def _color(value: str) -> str:
    if not _COLOR.fullmatch(value.lower()):
        raise ValueError("give a colour such as '#3366cc' (in quotes)")
    return value.lower()


def _point_name(value: str) -> str:
    if any(char in value for char in NOT_IN_POINTS):
        raise ValueError(f"a point's name has none of {' '.join(NOT_IN_POINTS)}")
    return value


def _hundredths(value: float) -> float:
    return round(value, 2)


def _email(value: str) -> str:
    if len(value) > 254 or not _EMAIL.fullmatch(value):
        raise ValueError("give an address such as ann@example.org")
    return value


_Name = Annotated[str, Field(min_length=1, max_length=64)]
_LongName = Annotated[str, Field(min_length=1, max_length=256)]
_Value = Annotated[str, Field(min_length=1, max_length=200)]
_Default = Annotated[str, Field(max_length=128)]
Name = Annotated[_Name, BeforeValidator(_text, _Name | float), AfterValidator(_plain)]
LongName = Annotated[_LongName, BeforeValidator(_text, _LongName | float), AfterValidator(_plain)]
Value = Annotated[_Value, BeforeValidator(_text, _Value | float), AfterValidator(_plain)]
Default = Annotated[_Default, BeforeValidator(_truth, _Default | float | bool), AfterValidator(_plain)]
PointName = Annotated[Name, AfterValidator(_point_name)]
Coordinate = Annotated[float, Field(ge=0, le=100), AfterValidator(_hundredths)]
Color = Annotated[str, AfterValidator(_color)]
Email = Annotated[str, AfterValidator(_email)]


class _Part(BaseModel):
    """A frozen part of the file; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Attribute(_Part):
    """A property of an object or image that annotators record."""

    name: Name
    input: Input = "select"
    values: tuple[Value, ...] = ()
    """The choices of a select or radio attribute."""
    minimum: int | None = None
    maximum: int | None = None
    step: int = Field(default=1, ge=1)
    default: Default | None = None
    """Until an annotator sets a value. Without one: the first choice, false, the minimum, or nothing."""
    mutable: bool = False
    """May differ from frame to frame of a track."""
    renamed_from: Name | None = None
    """Its name until now: it is renamed, and its values stay."""

    @model_validator(mode="after")
    def _fits_its_input(self) -> Attribute:
        if self.input in CHOICES:
            _check_choices(self.values)
        elif self.values:
            raise ValueError(f"values: an attribute with input {self.input} takes none")
        if self.input == "number":
            _check_range(self.minimum, self.maximum)
        elif (self.minimum, self.maximum, self.step) != (None, None, 1):
            raise ValueError(f"minimum, maximum, step: for input number, not {self.input}")
        self._check_default()
        return self

    def _check_default(self) -> None:
        value = self.default
        if value is None:
            return
        if self.input in CHOICES and value not in self.values:
            raise ValueError(f"default: {value!r} is not one of {', '.join(self.values)}")
        if self.input == "checkbox" and value not in ("true", "false"):
            raise ValueError(f"default: {value!r}: a checkbox is true or false")
        if self.input == "number" and not _within(value, self.minimum, self.maximum):
            raise ValueError(
                f"default: {value!r} is not a whole number from {self.minimum} to {self.maximum}"
            )

    @property
    def default_value(self) -> str:
        """The default for CVAT: not empty for numbers, as exports need one."""
        if self.default is not None:
            return self.default
        return {"checkbox": "false", "number": str(self.minimum), "text": ""}.get(
            self.input, self.values[0] if self.values else ""
        )


def _check_choices(values: tuple[str, ...]) -> None:
    if not values:
        raise ValueError("values: missing: list the choices")
    twice = [value for value in values if values.count(value) > 1]
    if twice:
        raise ValueError(f"values: {twice[0]!r} is listed twice")
    if len("\n".join(values)) > LONGEST_VALUES:
        raise ValueError(f"values: more than {LONGEST_VALUES} characters in all: use an attribute of text")


def _check_range(minimum: int | None, maximum: int | None) -> None:
    if minimum is None or maximum is None:
        raise ValueError("minimum, maximum: a number needs both")
    if minimum > maximum:
        raise ValueError(f"minimum: {minimum} is above maximum {maximum}")


def _within(value: str, minimum: int | None, maximum: int | None) -> bool:
    whole = re.fullmatch(r"-?\d+", value) is not None
    return whole and minimum is not None and maximum is not None and minimum <= int(value) <= maximum


class Point(_Part):
    """A point of a skeleton, in the drawing that annotators see."""

    name: PointName
    position: tuple[Coordinate, Coordinate]
    """From the left and from the top, in percent of the drawing; rounded to hundredths."""


class Label(_Part):
    """A target label, which a model is to learn."""

    name: Name
    type: LabelType = "any"
    color: Color | None = None
    """None: CVAT chooses one."""
    attributes: tuple[Attribute, ...] = ()
    points: tuple[Point, ...] = ()
    """Points of a skeleton, in the order of keypoints in exports."""
    edges: tuple[tuple[PointName, PointName], ...] = ()
    """Lines between points of a skeleton, each with the names of its two points."""
    renamed_from: Name | None = None
    """Its name until now: it is renamed with its annotations."""

    @model_validator(mode="after")
    def _fits_together(self) -> Label:
        _once([attribute.name for attribute in self.attributes], "attributes")
        _once([point.name for point in self.points], "points")
        if self.type != SKELETON and (self.points or self.edges):
            raise ValueError(f"points, edges: for type skeleton, not {self.type}")
        if self.type == SKELETON and not self.points:
            raise ValueError("points: missing: list the points of the skeleton")
        _check_edges(self.edges, {point.name for point in self.points})
        return self


def _check_edges(edges: tuple[tuple[str, str], ...], points: set[str]) -> None:
    for edge in edges:
        for end in edge:
            if end not in points:
                raise ValueError(f"edges: {end!r} is not among the points")
        if edge[0] == edge[1]:
            raise ValueError(f"edges: {edge[0]!r} connects a point with itself")
    _once([" - ".join(sorted(edge)) for edge in edges], "edges")


class AuditAttribute(_Part):
    """A condition or a protected characteristic: recorded to analyse the data set, never learned."""

    name: Name
    kind: Kind
    values: tuple[Value, ...]
    """Its values; ``unknown`` is added."""
    objects: tuple[Name, ...] = ()
    """Target labels whose objects have it; none: it describes the image."""
    renamed_from: Name | None = None

    @model_validator(mode="after")
    def _has_choices(self) -> AuditAttribute:
        _check_choices(self.choices)
        return self

    @property
    def choices(self) -> tuple[str, ...]:
        """The values, with ``unknown``."""
        return self.values if UNKNOWN in self.values else (*self.values, UNKNOWN)


class Project(_Part):
    """A project of CVAT and its labels."""

    name: LongName
    labels: tuple[Label, ...]
    audit: tuple[AuditAttribute, ...] = ()
    allow_delete: tuple[LongName, ...] = ()
    """``label`` or ``label/attribute`` that may be deleted with its annotations; also a skeleton that may be
    removed and added again."""

    @model_validator(mode="after")
    def _fits_together(self) -> Project:
        names = [label.name for label in self.labels]
        if not names:
            raise ValueError("labels: none: list at least one")
        _once(names, "labels")
        _once([attribute.name for attribute in self.audit], "audit")
        if AUDIT_LABEL in names:
            raise ValueError(f"labels: {AUDIT_LABEL!r} is the label of the audit block: use that block")
        remade = {label.name for label in self.labels if label.type == SKELETON}
        for name in self.allow_delete:
            if name in names and name not in remade:
                raise ValueError(
                    f"allow_delete: {name!r} is still among the labels: remove it from one of the two"
                )
        for attribute in self.audit:
            self._check_objects(attribute)
        return self

    def _check_objects(self, attribute: AuditAttribute) -> None:
        labels = {label.name: label for label in self.labels}
        for name in attribute.objects:
            if name not in labels:
                raise ValueError(f"audit: {attribute.name}: objects: {name!r} is not among the labels")
            if attribute.name in [own.name for own in labels[name].attributes]:
                raise ValueError(f"audit: {attribute.name!r} is an attribute of label {name!r} already")

    def marked(self, kind: Kind) -> tuple[str, ...]:
        """Names of the audit attributes of a kind."""
        return tuple(attribute.name for attribute in self.audit if attribute.kind == kind)


class Annotator(_Part):
    """A person who signed up or will sign up, found by e-mail address."""

    email: Email
    group: Group = "worker"
    tasks: dict[LongName, tuple[LongName, ...]] = {}
    """Names of tasks by project; the jobs of a task are shared among its annotators."""


class LabelsFile(_Part):
    """``stacks/labels/<workspace>.yaml``: labels and annotators of one workspace."""

    projects: tuple[Project, ...] = ()
    annotators: tuple[Annotator, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> LabelsFile:
        _once([slug(project.name) for project in self.projects], "projects")
        _once([annotator.email.lower() for annotator in self.annotators], "annotators")
        return self

    def project(self, name: str) -> Project | None:
        """The project of that name; None when the file does not have it."""
        return next((project for project in self.projects if project.name == name), None)


def slug(name: str) -> str:
    """Return a project's name as part of a resource's name."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-").lower()


def _once(names: list[str], where: str) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"{where}: {twice[0]!r} is listed twice (capitals and punctuation do not count)"
                         if where == "projects" else f"{where}: {twice[0]!r} is listed twice")  # fmt: skip

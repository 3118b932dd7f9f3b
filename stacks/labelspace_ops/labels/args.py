"""The arguments of ``LabelSchema`` and ``Annotators``; ``labels.model`` validates them.

Tests compare them with the models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:
    from labelspace.workspace import Workspace
    from labelspace_ops.labels.model import Group, Input, Kind, LabelType


class AttributeArgs(TypedDict):
    """A property of an object or image that annotators record."""

    name: str
    """1 to 64 characters."""
    input: NotRequired[Input]
    """select (default), radio, checkbox, number or text."""
    values: NotRequired[Sequence[str]]
    """The choices of a select or radio attribute."""
    minimum: NotRequired[int]
    """The least number."""
    maximum: NotRequired[int]
    """The greatest number."""
    step: NotRequired[int]
    """Between two numbers, by default 1."""
    default: NotRequired[str]
    """Until an annotator sets a value; by default the first choice, false, the minimum, or nothing."""
    mutable: NotRequired[bool]
    """May differ from frame to frame of a track; by default false."""
    renamed_from: NotRequired[str]
    """Its name until now: it is renamed, and its values stay."""


class PointArgs(TypedDict):
    """A point of a skeleton, in the drawing that annotators see."""

    name: str
    """1 to 64 characters."""
    position: tuple[float, float]
    """From the left and from the top, in percent of the drawing."""


class LabelArgs(TypedDict):
    """A label that a model is to learn, with its attributes."""

    name: str
    """1 to 64 characters."""
    type: NotRequired[LabelType]
    """any (default), rectangle, polygon, polyline, points, ellipse, cuboid, mask, tag or skeleton."""
    color: NotRequired[str]
    """Such as #3366cc; by default CVAT chooses one."""
    attributes: NotRequired[Sequence[AttributeArgs]]
    """What annotators record of each object."""
    points: NotRequired[Sequence[PointArgs]]
    """Points of a skeleton, in the order of keypoints in exports."""
    edges: NotRequired[Sequence[tuple[str, str]]]
    """Lines between points of a skeleton, each with the names of its two points."""
    renamed_from: NotRequired[str]
    """Its name until now: it is renamed with its annotations."""


class AuditAttributeArgs(TypedDict):
    """A condition or a protected characteristic: recorded to analyse the data set, never learned."""

    name: str
    """1 to 64 characters."""
    kind: Kind
    """condition or protected."""
    values: Sequence[str]
    """Its values; unknown is added."""
    objects: NotRequired[Sequence[str]]
    """Labels whose objects have it; by default it describes the image."""
    renamed_from: NotRequired[str]
    """Its name until now: it is renamed, and its values stay."""


class LabelSchemaArgs(TypedDict):
    """The labels of one project of CVAT."""

    workspace: Workspace
    """The workspace that has the project."""
    labels: Sequence[LabelArgs]
    """The labels, at least one, in the order of CVAT's list."""
    name: NotRequired[str]
    """The project's name in CVAT, by default the resource's."""
    audit: NotRequired[Sequence[AuditAttributeArgs]]
    """What is recorded to analyse the data set."""
    allow_delete: NotRequired[Sequence[str]]
    """Labels, or LABEL/ATTRIBUTE, that may be deleted with their annotations."""


class AnnotatorArgs(TypedDict):
    """A person who signed up or will sign up, by the address of the account."""

    email: str
    """The address of the account."""
    group: NotRequired[Group]
    """CVAT's group: worker (default) or user."""
    tasks: NotRequired[Mapping[str, Sequence[str]]]
    """Names of tasks by the project's name; the jobs of a task are shared among its annotators."""


class AnnotatorsArgs(TypedDict):
    """The annotators of one workspace."""

    workspace: Workspace
    """The workspace that they annotate in."""
    annotators: Sequence[AnnotatorArgs]
    """The annotators. Nobody's account is ever made or deleted."""

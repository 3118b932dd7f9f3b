"""Objects of CVAT's REST API (``cvat/apps/engine/serializers.py``), with the fields used here."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Row(BaseModel):
    """An object as CVAT returns it; other fields are ignored."""

    model_config = ConfigDict(frozen=True)


class Project(Row):
    """A project."""

    id: int
    name: str


class Assignee(Row):
    """The user that a job is assigned to."""

    username: str


class JobCount(Row):
    """How many jobs a task has."""

    count: int = 0


class Task(Row):
    """A task."""

    id: int
    name: str = ""
    subset: str = ""
    size: Annotated[int, BeforeValidator(lambda size: size or 0)] = 0
    """Number of frames; 0 until CVAT has created its data."""
    jobs: JobCount = JobCount()


class Job(Row):
    """A job of a task."""

    id: int
    state: str = "new"
    assignee: Assignee | None = None


class User(Row):
    """An account, as the admin sees it."""

    id: int
    username: str
    email: str
    groups: tuple[str, ...]
    is_superuser: bool

    @property
    def role(self) -> str:
        """``admin``, or the names of the user's groups."""
        return "admin" if self.is_superuser else ", ".join(self.groups)


class Operation(Row):
    """What a background request does: ``type`` such as ``create:task``, and the id of its target."""

    type: str = ""
    project_id: int | None = None
    task_id: int | None = None
    job_id: int | None = None


class Request(Row):
    """A background request; ``status`` is queued, started, failed or finished."""

    id: str = ""
    status: str
    operation: Operation = Operation()
    created_date: str = ""
    """ISO 8601."""
    message: str = ""
    result_url: str | None = None

    def __str__(self) -> str:
        """What it does, such as ``create:task 12``."""
        one = self.operation
        return f"{one.type} {one.job_id or one.task_id or one.project_id or ''}".strip()


class Frame(Row):
    """A frame of a task."""

    name: str


class DataMeta(Row):
    """What a task shows, frame by frame; ``storage`` is ``share`` for files of the share."""

    frames: tuple[Frame, ...]
    storage: str = ""


class Attribute(Row):
    """An attribute of a label; ``values`` are the choices, or minimum, maximum and step of a number."""

    id: int = 0
    name: str
    mutable: bool = False
    input_type: str = "select"
    default_value: str = ""
    values: list[str] = []


class Label(Row):
    """A label of a project; ``sublabels`` and ``svg`` are the points and the drawing of a skeleton."""

    id: int
    name: str
    type: str = "any"
    color: str = ""
    has_parent: bool = False
    attributes: list[Attribute] = []
    sublabels: list[Label] = []
    svg: str | None = None


class AttributeValue(Row):
    """The value of an attribute (``spec_id``) in an annotation."""

    spec_id: int
    value: str


class Tag(Row):
    """An annotation of a whole frame. Other fields are stored too, for copies."""

    model_config = ConfigDict(frozen=True, extra="allow")

    frame: int
    label_id: int
    attributes: list[AttributeValue] = []

    def moved_to(self, frame: int) -> dict[str, object]:
        """The body of a copy on another frame; CVAT gives the copy its own id."""
        values = self.model_dump(exclude_unset=True, exclude={"id", "job_id", "elements"})
        return {**values, "frame": frame}


class Shape(Tag):
    """An annotation with points, in pixels."""

    type: str
    occluded: bool = False
    outside: bool = False
    z_order: int = 0
    rotation: float = 0
    points: list[float] | None = None
    """x and y in turn; None where only CVAT can compute them."""
    elements: list[Shape] = []
    """The points of a skeleton."""

    def moved_to(self, frame: int) -> dict[str, object]:
        """The body of a copy on another frame; CVAT accepts ``elements`` only of a skeleton."""
        elements = [one.moved_to(frame) for one in self.elements]
        return {**super().moved_to(frame), **({"elements": elements} if elements else {})}


class Keyframe(Row):
    """A frame on which an annotator set a track."""

    frame: int
    type: str
    occluded: bool
    outside: bool
    z_order: int
    rotation: float
    points: list[float]
    attributes: list[AttributeValue] = []


class Track(Row):
    """An object that is followed over frames."""

    label_id: int
    group: int | None = 0
    source: str = "manual"
    shapes: list[Keyframe]
    attributes: list[AttributeValue] = []
    elements: list[Track] = []


class Annotations(Row):
    """The annotations of a task."""

    tags: list[Tag] = []
    shapes: list[Shape] = []
    tracks: list[Track] = []

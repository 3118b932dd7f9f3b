"""The parts of Scaleway's answers that labelspace reads; other fields are ignored."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from labelspace_ops.core.errors import OpsError

T = TypeVar("T")
Texts = Annotated[tuple[str, ...], BeforeValidator(lambda value: () if value is None else value)]
"""A list that the API may leave out or answer as null when it is empty."""


def _time(value: str) -> str:
    if datetime.fromisoformat(value).tzinfo is None:
        raise ValueError("a time without a zone")
    return value


Time = Annotated[str, AfterValidator(_time)]
"""A moment, ISO 8601 with its zone."""


class Answer(BaseModel):
    """Base of the answers."""

    model_config = ConfigDict(frozen=True)


class ApiKey(Answer):
    """An API key; either an application or a user owns it."""

    application_id: str | None = None
    user_id: str | None = None


class User(Answer):
    """A member of the organization."""

    type: str
    """``owner`` or ``member``."""


class Counted(Answer):
    """A list, without its items."""

    total_count: int


class Named(Answer):
    """A resource with a name."""

    id: str
    name: str


class Tagged(Answer):
    """A resource with tags."""

    id: str
    tags: Texts = ()


class Rule(Answer):
    """A rule of an IAM policy; without projects it applies to the organization."""

    permission_set_names: Texts = ()
    project_ids: Texts = ()


class Limit(Answer):
    """The limit of a quota in a zone, a region or everywhere; None: unlimited."""

    zone: str | None = None
    region: str | None = None
    limit: int | None = None


class Quota(Answer):
    """A quota of the organization."""

    name: str
    limits: Annotated[tuple[Limit, ...], BeforeValidator(lambda value: value or ())] = ()


class ServerType(Answer):
    """The type of an Instance."""

    commercial_type: str


class Stock(Answer):
    """The stock of an Instance type."""

    availability: str
    """``available``, ``scarce`` or ``shortage``."""


class RootVolume(Answer):
    """A volume in the list of an Instance."""

    id: str


class Server(Answer):
    """An Instance."""

    state: str
    """Such as ``running``, ``starting``, ``stopped``."""
    tags: Texts = ()
    creation_date: Time | None = None
    volumes: dict[str, RootVolume] = {}
    """By its slot; ``"0"`` is the root volume."""


class ServerAnswer(Answer):
    """The answer to a GET of one Instance."""

    server: Server


class Reference(Answer):
    """A product that uses a block volume."""

    product_resource_id: str
    product_resource_type: str


class Volume(Answer):
    """A block volume; ``size`` in bytes."""

    id: str
    name: str
    size: int
    created_at: Time
    references: tuple[Reference, ...]


class NodeType(Answer):
    """A type of managed database."""

    name: str
    disabled: bool
    stock_status: str


class BackupSchedule(Answer):
    """The schedule of a database's snapshots."""

    disabled: bool


class Database(Answer):
    """A managed database."""

    created_at: Time
    backup_schedule: BackupSchedule


def _decoded(value: object) -> object:
    return base64.b64decode(value, validate=True).decode() if isinstance(value, str) else value


class DatabaseCertificate(Answer):
    """The certificate of a managed database."""

    content: Annotated[str, BeforeValidator(_decoded)]
    """PEM; base64 in the answer."""


class Snapshot(Answer):
    """A snapshot of a managed database; ``size`` in bytes, None while it is taken."""

    id: str
    instance_name: str
    status: str
    """``creating``, ``ready``, ``error`` and so on."""
    created_at: Time
    size: int | None = None
    expires_at: Time | None = None


def parse(kind: type[T], value: object, call: str, *prefix: str) -> T:
    """Return ``value`` as ``kind``; raises ``OpsError`` that names the call and the first wrong field."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, (*prefix, *first["loc"]))) or "the whole"
        raise OpsError(
            f"Scaleway's API answers {call} without a valid field {field} ({first['msg']}): try again later;"
            " if it stays, labelspace does not know this version of the API"
        ) from None

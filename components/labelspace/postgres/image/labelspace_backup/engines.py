"""Makes the engine that the settings choose."""

from __future__ import annotations

from . import client_container, client_server
from .engine import Engine
from .logical import Logical
from .physical import Physical
from .programs import FailedError
from .settings import Settings


def create(settings: Settings) -> Engine:
    """The engine of these settings."""
    if settings.engine == "physical":
        return Physical(settings)
    return logical(settings)


def logical(settings: Settings) -> Logical:
    """The logical engine; raises ``FailedError`` for a database with the physical one."""
    if settings.engine != "logical":
        raise FailedError("this is for a database that the logical engine dumps")
    return client_server.engine(settings) if settings.bucket else client_container.engine(settings)


def physical(settings: Settings) -> Physical:
    """The physical engine; raises ``FailedError`` for a database with the logical one."""
    if settings.engine != "physical":
        raise FailedError("this is for a database that the physical engine copies")
    return Physical(settings)

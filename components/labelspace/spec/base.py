"""The base of every part of a spec: frozen, and unknown settings are mistakes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SpecPart(BaseModel):
    """A frozen part of a spec; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

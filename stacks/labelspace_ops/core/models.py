"""Base of the models that commands print as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class JsonModel(BaseModel):
    """Base of the models: a key with a default may be absent, and no other key is printed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object: the keys that were given."""
        return self.model_dump(exclude_unset=True)

"""Scaleway's API keys, project and organization, read from the same sources as its provider.

The order is the provider's own: an environment variable hides the stack's configuration, and that a profile.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Field:
    """What one value is called in the environment, in a stack's configuration, in a profile."""

    variable: str
    config: str
    profile: str


FIELDS = {
    "access_key": Field("SCW_ACCESS_KEY", "accessKey", "access_key"),
    "secret_key": Field("SCW_SECRET_KEY", "secretKey", "secret_key"),
    "project": Field("SCW_DEFAULT_PROJECT_ID", "projectId", "default_project_id"),
    "organization": Field("SCW_DEFAULT_ORGANIZATION_ID", "organizationId", "default_organization_id"),
    "api": Field("SCW_API_URL", "apiUrl", "api_url"),
}


@dataclass(frozen=True)
class Credential:
    """A value and who says it."""

    value: str
    source: str


class NoProfileError(ValueError):
    """A profile that was asked for and cannot be read."""


def lookup_all(config: Mapping[str, str]) -> dict[str, list[Credential]]:
    """Each field with everybody who names it, the one that counts first.

    ``config``: the stack's configuration of the provider, without its prefix. Raises ``NoProfileError``.
    """
    file = profile_path()
    names, profiles = _profiles(file, config.get("profile", ""))
    return {
        field: [
            # one that is set and empty counts, too: the provider's program takes it for a value
            *(
                [Credential(os.environ[where.variable], where.variable)]
                if where.variable in os.environ
                else []
            ),
            *_named(config.get(where.config), f"scaleway:{where.config} of the stack"),
            *(
                one
                for name, profile in zip(names, profiles, strict=True)
                for one in _named(profile.get(where.profile), f"profile {name} of {file}")
            ),
        ]
        for field, where in FIELDS.items()
    }


def lookup(field: str, config: Mapping[str, str]) -> str:
    """The value that counts; empty for none."""
    return next((one.value for one in lookup_all(config)[field]), "")


def profile_path() -> Path:
    """The file of profiles, Scaleway's own command's."""
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(os.environ.get("SCW_CONFIG_PATH") or f"{config}/scw/config.yaml")


def _named(value: Any, source: str) -> list[Credential]:
    return [Credential(str(value), source)] if value else []


def _profiles(file: Path, of_stack: str) -> tuple[list[str], list[dict[str, Any]]]:
    """The stack's profile, the active one, and the file's top level, which both build upon."""
    try:
        text = yaml.safe_load(file.read_text()) if file.is_file() else {}
    except (OSError, yaml.YAMLError) as error:
        raise NoProfileError(f"{file} cannot be read: {error}") from None
    whole: dict[str, Any] = text if isinstance(text, dict) else {}
    active = os.environ.get("SCW_PROFILE") or whole.get("active_profile")
    known = whole.get("profiles") or {}
    names = [name for name in dict.fromkeys((of_stack, active)) if name and name != "default"]
    unknown = next((name for name in names if name not in known), None)
    if unknown:
        raise NoProfileError(f"profile {unknown!r} is not in {file}: there are {', '.join(known) or 'none'}")
    return [*names, "default"], [*(known[name] or {} for name in names), whole]

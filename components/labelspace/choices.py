"""The texts that an argument takes, as enums: Pulumi's schema knows enums and no literals."""

from enum import Enum
from typing import Any, get_args


def enum_of(name: str, choices: Any, description: str) -> type[Enum]:
    """An enum of the values of a ``Literal``; a member's name is its value's words in capitals: ``FrPar``."""
    members = {"".join(map(str.capitalize, one.split("-"))): one for one in get_args(choices)}
    made = Enum(name, members, module=__name__)  # type: ignore[misc]  # its members are made at runtime
    made.__doc__ = description
    return made

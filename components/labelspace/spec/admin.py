"""The admin of a workspace."""

from __future__ import annotations

from typing import Annotated

from pydantic import SecretStr, model_validator

from labelspace.password_policy import password_problem
from labelspace.spec.base import SpecPart
from labelspace.spec.fields import Email, Username
from labelspace.spec.late import Late


class AdminSpec(SpecPart):
    """The admin: CVAT's superuser. Without a password one is generated."""

    username: Annotated[Username, Late("known-later")] = "admin"
    """User name of CVAT's superuser."""
    email: Annotated[Email, Late("known-later@stand-in.invalid")] = "admin@localhost"
    """E-mail address of CVAT's superuser."""
    password: Annotated[SecretStr | None, Late("8-Letters-to-come")] = None
    """Password of CVAT's superuser; none: one is generated. Eight characters or more, with a digit, an upper
    and a lower case letter, not common, not like user name and e-mail (CVAT's rules)."""

    @model_validator(mode="after")
    def _password_is_strong(self) -> AdminSpec:
        if self.password is not None:
            problem = password_problem(self.password.get_secret_value(), self.username, self.email)
            if problem:
                raise ValueError(f"password: {problem}")
        return self

"""The admin of a workspace."""

from __future__ import annotations

from pydantic import SecretStr, model_validator

from labelspace.password_policy import password_problem
from labelspace.spec.base import SpecPart
from labelspace.spec.fields import Email, Username


class AdminSpec(SpecPart):
    """The admin: CVAT's superuser. Without a password one is generated."""

    username: Username = "admin"
    """User name of CVAT's superuser."""
    email: Email = "admin@localhost"
    """E-mail address of CVAT's superuser."""
    password: SecretStr | None = None
    """Password of CVAT's superuser; none: one is generated. Eight characters or more, with a digit, an upper
    and a lower case letter, not common, not like user name and e-mail (CVAT's rules)."""

    @model_validator(mode="after")
    def _password_is_strong(self) -> AdminSpec:
        if self.password is not None:
            problem = password_problem(self.password.get_secret_value(), self.username, self.email)
            if problem:
                raise ValueError(f"password: {problem}")
        return self

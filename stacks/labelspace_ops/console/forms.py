"""The form of a new workspace: its values as settings and as flags of ``labelspace create``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from labelspace.spec import SPECS, Settings, SpecError, parse_spec
from labelspace_ops.targets import registry
from labelspace_ops.targets.base import Capability

PLACEHOLDERS = {"name": "any", "buckets": [{"name": "any"}]}
FLAGS = {
    "--description": "description",
    "--target": "target",
    "--admin-username": "username",
    "--admin-email": "email",
    "--registration": "registration",
    "--default-role": "default_role",
    "--bind-address": "bind_address",
    "--size": "size",
    "--port": "port",
    "--s3-port": "s3_port",
}
LOCAL = ("bind_address", "port", "s3_port")
"""Fields of targets with ports on this machine."""


@dataclass
class Form:
    """The values of the fields; an empty password is generated."""

    name: str = ""
    description: str = ""
    target: str = registry.DEFAULT
    buckets: list[str] = field(default_factory=list)
    """Existing buckets."""
    new_buckets: str = ""
    """Names of new buckets, separated by spaces or commas."""
    username: str = "admin"
    email: str = ""
    password: str = ""
    registration: str = "open"
    default_role: str = "worker"
    bind_address: str = "127.0.0.1"
    size: str = "small"
    port: str = ""
    """Empty: a free port."""
    s3_port: str = ""
    domain: str = ""
    """Host name of a public URL."""
    trial_hostname: bool = False
    """Serve a name for a trial when there is no domain."""
    reuse_data: bool = False
    """Use the data that a deleted workspace of this name left."""

    def can(self, capability: Capability) -> bool:
        """Whether the chosen target has the ability."""
        return registry.get(self.target).can(capability)

    def choose_target(self, name: str) -> None:
        """Change the target; registration follows its default, which is closed on public servers."""
        self.target = name
        self.registration = SPECS[name].model_fields["registration"].default

    @property
    def all_buckets(self) -> list[str]:
        """Existing and new buckets, in the order of the form."""
        existing = self.buckets if self.can(Capability.LOCAL_BUCKETS) else []
        return [*existing, *self.new_buckets.replace(",", " ").split()]

    def values(self) -> Settings:
        """Return the settings, as ``parse_spec`` takes them."""
        admin = {"username": self.username, "email": self.email, "password": self.password}
        plain = ("name", "description", "target", "registration", "default_role", "size")
        own = {key: getattr(self, key) for key in LOCAL if getattr(self, key)}
        return {
            **{key: getattr(self, key) for key in plain},
            **(own if self.can(Capability.HOST_PORTS) else {}),
            **({self.target: self._host_name()} if self.can(Capability.HOST_NAME) else {}),
            "buckets": [{"name": name} for name in self.all_buckets],
            "admin": {key: value for key, value in admin.items() if value or key == "username"},
        }

    def _host_name(self) -> Settings:
        """Return the settings of the target's block that were chosen."""
        chosen = {"domain": self.domain, "trial_hostname": self.trial_hostname and not self.domain}
        return {key: value for key, value in chosen.items() if value}

    def arguments(self) -> list[str]:
        """Return the flags of ``labelspace create``; the password goes through standard input."""
        offered = {
            flag: key for flag, key in FLAGS.items() if self.can(Capability.HOST_PORTS) or key not in LOCAL
        }
        flags = [f"{flag}={getattr(self, attribute)}" for flag, attribute in offered.items()]
        given = [flag for flag in flags if not flag.endswith("=")]
        secret = ["--password-stdin"] if self.password else []
        if self.can(Capability.HOST_NAME):
            chosen = self._host_name().items()
            given += [f"--set={self.target}.{key}={str(value).lower()}" for key, value in chosen]
        if self.reuse_data:
            given.append("--reuse-data")
        return [*given, *(f"--bucket={name}" for name in self.all_buckets), *secret]

    def choose_setting(self, assignment: str) -> None:
        """Take over the ``--set`` of a host name."""
        key, _, value = assignment.partition("=")
        if key == f"{self.target}.domain":
            self.domain = value
        elif key == f"{self.target}.trial_hostname":
            self.trial_hostname = value == "true"

    @classmethod
    def again(cls, name: str, arguments: list[str]) -> Form:
        """Return the form that gave these flags; its password has to be typed again."""
        form = cls(name=name)
        for argument in arguments:
            flag, _, value = argument.partition("=")
            if flag in FLAGS:
                setattr(form, FLAGS[flag], value)
            elif flag == "--reuse-data":
                form.reuse_data = True
            elif flag == "--set":
                form.choose_setting(value)
            elif flag == "--bucket":
                form.new_buckets = f"{form.new_buckets} {value}".strip()
        return form

    def problems(self, taken: list[str]) -> dict[str, str]:
        """Return the problem of each invalid field (``name``, ``buckets``, ``admin.username``, ...)."""
        found = problems(self.values())
        if self.name in taken:
            found["name"] = f"{self.name!r} is taken: choose another name"
        return found


def problems(values: Settings) -> dict[str, str]:
    """Return the problem of each invalid field.

    Invalid fields are removed and the rest is validated again, to find problems of several fields together.
    """
    found: dict[str, str] = {}
    values = {**values, "admin": dict(values.get("admin", {}))}
    while True:
        try:
            parse_spec(values)
        except SpecError as error:
            fresh = {key: text for key, text in map(_by_field, error.problems) if key not in found}
        else:
            return found
        found |= fresh
        if not fresh:
            return found
        for key in fresh:
            _remove(key, values)


def _by_field(problem: str) -> tuple[str, str]:
    path, _, text = problem.partition(": ")
    text = re.sub(r" \(--[^)]*\)", "", text)  # flags are for the command line
    if path == "admin" and text.startswith("password: "):
        path, text = "admin.password", text.removeprefix("password: ")
    parts = path.split(".")
    return (".".join(parts[:2]) if parts[0] == "admin" else parts[0]), text


def _remove(key: str, values: Settings) -> None:
    if key.startswith("admin."):
        values["admin"].pop(key.removeprefix("admin."), None)
    elif key in PLACEHOLDERS:
        values[key] = PLACEHOLDERS[key]
    else:
        values.pop(key, None)

"""The state of workspaces' stacks, read with Pulumi's command or from the files of its backend."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.stack import backend, declared, project, pulumi_cli, pulumi_errors, state_files

Properties = dict[str, Any]
"""Properties of a resource, or outputs of a stack: Pulumi's JSON, whose keys each provider chooses."""
STACK = "pulumi:pulumi:Stack"
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""The key and the value that mark a secret in an exported state."""


@dataclass(frozen=True)
class Resource:
    """A resource in the state of a stack, secrets in the clear."""

    type: str
    """Pulumi's type, such as ``docker:index/container:Container``."""
    id: str = ""
    """The provider's id; empty for components and resources without one."""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    is_to_delete: bool = False
    """Whether it is replaced already and waits for its deletion."""
    is_to_replace: bool = False
    """Whether it is deleted already and waits for its replacement."""

    @classmethod
    def parse(cls, exported: Properties) -> Resource:
        """Return a resource of Pulumi's export."""
        return cls(
            type=exported["type"],
            id=exported.get("id", ""),
            inputs=unwrap_secrets(exported.get("inputs", {})),
            outputs=unwrap_secrets(exported.get("outputs", {})),
            is_to_delete=exported.get("delete", False),
            is_to_replace=exported.get("pendingReplacement", False),
        )


def names(home: Home) -> list[str]:
    """The names of all workspaces in the current backend, or in the stack of ``--stack``."""
    if stack := declared.current():
        return sorted(stack.workspaces)
    folder = backend.state_folder(home)
    if folder:
        return backend.stack_names(folder)
    return sorted(one["name"] for one in pulumi_cli.query(home, "stack", "ls", "--json"))


class NoSuchWorkspaceError(UsageError):
    """There is no workspace of this name."""


class UnreadableStateError(OpsError):
    """The state of a workspace is damaged, or encrypted with another passphrase."""


def project_with(name: str, home: Home) -> project.Project | None:
    """Another project on this machine, with a state of its own, that has a workspace ``name``."""
    url = backend.current_url(home)
    for other in project.others(project.find(home), home):
        its_url = backend.project_url(other)
        folder = backend.folder_of(its_url)
        has = name in backend.stack_names(folder) if folder else other.settings_file(name).exists()
        if its_url != url and has:
            return other
    return None


def must_be_free(name: str, home: Home) -> None:
    """Raise ``UsageError`` when another project on this machine has a workspace of that name.

    Containers, volumes, keys and backups on this machine are named by the workspace alone.
    """
    if other := project_with(name, home):
        raise UsageError(
            f"name: {name!r} is taken on this machine by the project in {other.folder}: choose another name"
        )


def must_exist(name: str, home: Home) -> None:
    """Raise ``NoSuchWorkspaceError`` without a state, ``UnreadableStateError`` for a damaged one."""
    existing = names(home)
    if name in existing:
        if not declared.current():
            _must_be_whole(name, home)
        return
    if other := project_with(name, home):
        raise UsageError(
            f"name: {name!r} is a workspace of the project in {other.folder}: run the command there,"
            f" or set {project.VARIABLE}={other.folder}"
        )
    listed = ", ".join(existing) or "none yet"
    raise NoSuchWorkspaceError(
        f"name: {name!r}: no such workspace{_way_back(name, home)}; there are: {listed}. Create one:"
        " `labelspace create NAME --bucket BUCKET`. One of your program: `labelspace status --stack STACK`"
    )


def _way_back(name: str, home: Home) -> str:
    """The command that brings back a workspace whose state is gone; empty when nothing of it is left."""
    folder, backups = backend.state_folder(home), home.backups / name
    if folder and state_files.has_history(folder, name):
        return f"; its state is gone, and there are copies: `labelspace state repair {name}`"
    if project.find(home).settings_file(name).exists():
        return (
            f"; its settings are there, and no state: `labelspace login URL` if a bucket has its state,"
            f" else `labelspace create {name} --reuse-data` makes it again from what is there"
        )
    return (
        f"; its backups are in {backups}: `labelspace create {name} --reuse-data`" if backups.exists() else ""
    )


def _must_be_whole(name: str, home: Home) -> None:
    if folder := backend.state_folder(home):
        file = state_files.state_file(folder, name)
        if problem := state_files.find_problem(file):
            raise UnreadableStateError(_unreadable(name, file, problem))


def _unreadable(name: str, file: Path, problem: str) -> str:
    """The file, the reason, and the command that brings back the newest whole copy."""
    copies = state_files.find_copies(file.parents[3], name)
    next_step = (
        f"`labelspace state repair {name}` takes the newest whole copy ({copies[0].when:%Y-%m-%d %H:%M} UTC)"
        if copies
        else "there is no whole copy: move the file away, then"
        f" `labelspace create {name} --reuse-data` makes the state again from volumes, containers and backups"
    )
    return f"{name}: the state in {file} cannot be read ({problem}): {next_step}"


def with_state_file(error: OpsError, name: str, home: Home) -> OpsError:
    """``error``, or one that names the state where this home's passphrase does not open it."""
    where = backend.state_folder(home)
    file = state_files.state_file(where, name) if where else backend.current_url(home)
    is_there = not isinstance(file, Path) or file.exists()
    if not (isinstance(error, pulumi_errors.PassphraseError) and is_there):
        return error
    return UnreadableStateError(
        f"{name}: the state in {file} is encrypted with another passphrase than the one in {home.passphrase}:"
        f" {pulumi_errors.KEYS}; `labelspace state repair {name}` looks for a copy that can be read"
    )


_DEPLOYMENTS: dict[str, tuple[bytes, Properties]] = {}
"""The last export of each workspace, with the raw state that it was made from."""


def deployment(name: str, home: Home) -> Properties:
    """The exported deployment of a workspace's stack, secrets in the clear; cached until it changes."""
    must_exist(name, home)
    pulumi_cli.require_passphrase(home)
    raw = backend.raw_state(name, home)
    known = _DEPLOYMENTS.get(name)
    if not raw or known is None or known[0] != raw:
        try:
            state = pulumi_cli.query(home, "stack", "export", "--show-secrets", "--stack", name)
        except OpsError as error:
            raise with_state_file(error, name, home) from None
        known = _DEPLOYMENTS[name] = (raw, state.get("deployment") or {})
    return known[1]


def resources(name: str, home: Home) -> list[Resource]:
    """The resources in the state of a workspace's stack, or below its component in the stack of ``--stack``.

    The component's outputs stand for the stack's then.
    """
    if stack := declared.current():
        must_exist(name, home)
        component, *below = (Resource.parse(one) for one in stack.workspaces[name])
        return [replace(component, type=STACK), *below]
    return [Resource.parse(one) for one in deployment(name, home).get("resources", [])]


def outputs(name: str, home: Home) -> Properties:
    """The outputs of the stack's last update, secrets in the clear; empty before the first update."""
    return stack_outputs(resources(name, home))


def require_outputs(name: str, home: Home) -> Properties:
    """The outputs of a workspace's stack; raises ``OpsError`` when it was never made completely."""
    found = outputs(name, home)
    if not found:
        raise OpsError(f"{name}: it was never made completely: run `labelspace create {name}` again")
    return found


def stack_outputs(resources: list[Resource]) -> Properties:
    """The outputs of the stack, read from its resources without another call of Pulumi."""
    return next((one.outputs for one in resources if one.type == STACK), {})


def unwrap_secrets(value: Any) -> Any:
    """A value without Pulumi's wrapping of secrets (sdk/go/common/resource/sig of Pulumi)."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return unwrap_secrets(json.loads(value["plaintext"]))
        return {key: unwrap_secrets(item) for key, item in value.items()}
    return [unwrap_secrets(item) for item in value] if isinstance(value, list) else value

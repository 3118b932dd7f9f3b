"""Choose where the state of workspaces is stored, and move workspaces between two such backends."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pulumi import automation as auto

from labelspace.home import Home
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.models import JsonModel
from labelspace_ops.core.reporting import message
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import backend, project, pulumi_errors


class LoggedIn(JsonModel):
    """The backend that stores the state of workspaces; without a URL argument, ``backend`` alone."""

    backend: str
    """The backend's URL, in Pulumi's form."""
    workspaces: list[str] | None = None
    """Workspaces whose state is in this backend."""
    moved: list[str] | None = None
    """Workspaces that were moved to this backend."""
    left_behind: list[str] | None = None
    """Workspaces whose state stays in the backend of the last login, or in this machine's home."""


def log_in(home: Home, url: str, moving: list[str]) -> LoggedIn:
    """Check that ``url`` can be read with this machine's passphrase, move workspaces there, and save ``url``.

    An empty ``url`` is this machine's own state. A failed check saves and moves nothing. Raises
    ``UsageError`` for an invalid URL or name, ``OpsError`` for a state that cannot be read.
    """
    current = project.find(home)
    if fixed := backend.fixed_url(current):
        raise UsageError(
            f"url: {current.folder / project.FILE} names the state ({fixed}): change backend.url there"
        )
    url = backend.validate_url(url) if url else backend.local_url(current)
    is_new_passphrase = not home.passphrase.exists()
    source = _source_backend(home, url)
    url_names, source_names = _names(home, url), _names(home, source) if source != url else []
    if not _can_decrypt(home, url, url_names):
        if is_new_passphrase:
            home.passphrase.unlink()  # just generated: nothing is encrypted with it yet
        raise OpsError(
            "this machine's passphrase does not decrypt the team's state: run `labelspace keys export FILE`"
            " on a machine that can, then `labelspace keys import FILE` here, in a home without workspaces"
        )
    _check_moves(moving, source_names, url_names)
    for name in moving:
        with locks.hold(home, name, "moving"):
            _move(name, _workspace_at(home, source), _workspace_at(home, url))
    backend.save_url(home, url if url != backend.local_url(project.find(home)) else "")
    return LoggedIn(
        backend=url,
        workspaces=sorted([*url_names, *moving]),
        moved=moving,
        left_behind=[name for name in source_names if name not in moving],
    )


def _source_backend(home: Home, url: str) -> str:
    """Return the backend to move from: the one of the last login, else this machine's own."""
    chosen = backend.current_url(home)
    return chosen if chosen != url else backend.local_url(project.find(home))


def _check_moves(moving: list[str], source_names: list[str], url_names: list[str]) -> None:
    for name in moving:
        if name not in source_names:
            names = ", ".join(source_names) or "none"
            raise UsageError(f"move: {name!r} is not in the state that you move from; it has: {names}")
        if name in url_names:
            raise UsageError(
                f"move: {name!r} is already in the new state: leave it out, or create it under another name"
            )


def _workspace_at(home: Home, url: str) -> auto.LocalWorkspace:
    options = stack.options(home, writes=True)
    options.env_vars = {**(options.env_vars or {}), "PULUMI_BACKEND_URL": url}
    return auto.LocalWorkspace(**vars(options))


def _names(home: Home, url: str) -> list[str]:
    try:
        return sorted(one.name for one in _workspace_at(home, url).list_stacks())
    except auto.CommandError as error:
        folder = backend.folder_of(url)
        if folder and backend.stack_names(folder):  # Pulumi reads every state, and one is damaged
            return backend.stack_names(folder)
        raise OpsError(f"url: {url} cannot be read: {pulumi_errors.error_reason(str(error))}") from None


def _can_decrypt(home: Home, url: str, names: list[str]) -> bool:
    """Return whether this machine's passphrase decrypts the first stack that is not damaged."""
    workspace = _workspace_at(home, url)
    for name in names:
        try:
            workspace.stack_outputs(name)
        except auto.CommandError as error:
            if "passphrase" in str(error):
                return False
            message(f"{name}: its state is damaged: {pulumi_errors.error_reason(str(error))}")
        else:
            return True
    return True


def _move(name: str, old: auto.LocalWorkspace, new: auto.LocalWorkspace) -> None:
    """Copy the state, then remove the old copy; settings stay in the stack's file."""
    new.create_stack(name)
    with tempfile.TemporaryDirectory(prefix="labelspace-move-") as folder:
        file = str(Path(folder) / "state.json")  # its secrets stay encrypted
        stack.pulumi(old, ["stack", "export", "--stack", name, "--file", file])
        stack.pulumi(new, ["stack", "import", "--stack", name, "--file", file])
    old.remove_stack(name, force=True, preserve_config=True)

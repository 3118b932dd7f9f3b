"""Logging in to the state of a team, and moving workspaces there or back."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from labelspace.home import Home
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import backend, pulumi_cli


def log_in(home: Home, url: str, moving: list[str]) -> dict[str, Any]:
    """Check that ``url`` can be read with this machine's passphrase, move workspaces there, and keep it.

    Nothing is kept or moved when the check fails. Raises ``UsageError``, ``OpsError``.
    """
    if os.environ.get("PULUMI_BACKEND_URL"):
        raise UsageError("PULUMI_BACKEND_URL: it is set and wins over every login: unset it first")
    url = backend.validate_url(url) if url else backend.home_url(home)
    new_here = not home.passphrase.exists()
    source = _other(home, url)
    there, here = _names(home, url), _names(home, source) if source != url else []
    if not _same_passphrase(home, url, there):
        if new_here:
            home.passphrase.unlink()  # made a moment ago; nothing is encrypted with it
        raise OpsError(
            "this machine's passphrase does not open the team's state: where one does, `labelspace keys"
            " export FILE`; here, in a home without workspaces, `labelspace keys import FILE`"
        )
    _movable(moving, here, there)
    for name in moving:
        with locks.hold(home, name, "moving"):
            _move(name, _place(home, source), _place(home, url))
    backend.save_url(home, url if url != backend.home_url(home) else "")
    return {
        "backend": url,
        "workspaces": sorted([*there, *moving]),
        "moved": moving,
        "left_behind": [name for name in here if name not in moving],
    }


def _other(home: Home, url: str) -> str:
    """Where workspaces can be moved from: the place of the last login, else this machine's own."""
    chosen = backend.current_url(home)
    return chosen if chosen != url else backend.home_url(home)


def _movable(moving: list[str], here: list[str], there: list[str]) -> None:
    for name in moving:
        if name not in here:
            raise UsageError(f"move: {name!r} is not where you come from; there: {', '.join(here) or 'none'}")
        if name in there:
            raise UsageError(f"move: {name!r} is there already: leave it out, or make it under another name")


def _place(home: Home, url: str) -> auto.LocalWorkspace:
    options = stack.options(home)
    options.env_vars = {**(options.env_vars or {}), "PULUMI_BACKEND_URL": url}
    return auto.LocalWorkspace(**vars(options))


def _names(home: Home, url: str) -> list[str]:
    try:
        return sorted(one.name for one in _place(home, url).list_stacks())
    except auto.CommandError as error:
        raise OpsError(f"url: {url} cannot be read: {pulumi_cli.error_reason(str(error))}") from None


def _same_passphrase(home: Home, url: str, names: list[str]) -> bool:
    """The first stack shows whether this machine reads what the team wrote."""
    place = _place(home, url)
    for name in names[:1]:
        try:
            place.stack_outputs(name)
        except auto.CommandError as error:
            if "passphrase" in str(error):
                return False
            raise OpsError(pulumi_cli.error_reason(str(error))) from None
    return True


def _move(name: str, old: auto.LocalWorkspace, new: auto.LocalWorkspace) -> None:
    """The old record goes only when the new one is there; settings stay in the stack's file."""
    new.create_stack(name)
    with tempfile.TemporaryDirectory(prefix="labelspace-move-") as folder:
        file = str(Path(folder) / "state.json")  # its secrets stay encrypted
        stack.pulumi(old, ["stack", "export", "--stack", name, "--file", file])
        stack.pulumi(new, ["stack", "import", "--stack", name, "--file", file])
    old.remove_stack(name, force=True, preserve_config=True)

"""The recovery kit: one file with the keys that open this machine's backups and state."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from labelspace.home import Home, write_once
from labelspace_ops.core.errors import OpsError, UsageError

FORMAT = 1
NOTE = (
    "Recovery kit of labelspace. It opens this machine's backups: store it like a password, apart"
    " from the backups. On another machine: labelspace keys import FILE, then labelspace create NAME"
    " --from-backup FOLDER."
)


def export_kit(home: Home, into: Path) -> list[str]:
    """Write the kit with mode 0600; return the names of its keys. An existing file is refused."""
    keys = {path.name: path.read_text() for path in sorted(home.keys.glob("*")) if _is_key(path)}
    if not keys:
        raise OpsError(f"{home.keys}: there are no keys yet: make a workspace first")
    text = json.dumps({"format": FORMAT, "read me": NOTE, "keys": keys}, indent=2) + "\n"
    try:
        handle = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"file: {into} is there already: choose another name") from None
    except OSError as error:
        raise UsageError(f"file: {into} cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "w") as file:
        file.write(text)
    return list(keys)


def import_kit(home: Home, kit: Path) -> dict[str, str]:
    """Store a kit's keys on this machine; return for each ``new``, ``same``, or ``differs`` (not stored)."""
    keys = _read(kit)
    home.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    done = {}
    for name, text in keys.items():
        path = home.keys / name
        if not path.exists():
            write_once(path, text)
            done[name] = "new"
        else:
            same = secrets.compare_digest(path.read_text().strip(), text.strip())
            done[name] = "same" if same else "differs"
    return done


def _is_key(path: Path) -> bool:
    return path.is_file() and _is_name(path.name)


def _read(kit: Path) -> dict[str, str]:
    try:
        found: Any = json.loads(kit.read_text())
        keys = {str(name): str(text) for name, text in found["keys"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise UsageError(f"file: {kit} is no recovery kit of labelspace") from None
    if found["format"] != FORMAT:
        raise UsageError(f"file: {kit} is of format {found['format']}, this version reads {FORMAT}")
    if not all(_is_name(name) for name in keys):
        raise UsageError(f"file: {kit} holds a name that is none of a key")
    return keys


def _is_name(name: str) -> bool:
    """As in ``Home``, without public keys: they are derived from the private ones."""
    is_key = name.startswith(("backup-", "server-")) and not name.endswith(".pub")
    return name == "passphrase" or (is_key and "/" not in name)

"""What Pulumi keeps of workspaces, by its command alone: the Automation API takes half a second to load."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from labelspace.home import Home, write_once
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.stack import backend

SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""How Pulumi marks a secret in an exported state."""
OCCURRED = r"(.*: )?\d+ errors? occurred:"
OF_THE_PROGRAM = "Exception calling application: "
"""Pulumi repeats so what failed in the program."""
PROJECT = Path(__file__).resolve().parents[3]
"""The folder of Pulumi.yaml: a workspace's settings lie there, under ``stacks/``."""


def environment(home: Home) -> dict[str, str]:
    """What Pulumi needs to work on this machine's workspaces; the passphrase is handed on as a file."""
    return {
        "PULUMI_HOME": str(home.pulumi_home),
        "PULUMI_BACKEND_URL": backend.current_url(home),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(home.passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "LABELSPACE_HOME": str(home.root),
        "PATH": os.pathsep.join(
            [str(home.pulumi_root / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        ),
    }


def prepare_home(home: Home) -> None:
    """Make the folders and, once, the passphrase: it encrypts every secret of config and state."""
    home.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in (home.state, home.locks):
        folder.mkdir(parents=True, exist_ok=True)
    if not home.passphrase.exists():
        write_once(home.passphrase, secrets.token_urlsafe(32))


def prepare(home: Home) -> None:
    """What every command of Pulumi needs: the project's folder, and a home; raises ``OpsError``."""
    if not (PROJECT / "Pulumi.yaml").exists():
        raise OpsError(f"no Pulumi.yaml in {PROJECT}: run labelspace from a clone of the project")
    prepare_home(home)


def pulumi_binary(home: Home) -> str:
    """Pulumi's program: labelspace's own, else the one on PATH, else downloaded once."""
    own = home.pulumi_root / "bin" / "pulumi"
    if not own.exists() and shutil.which("pulumi"):
        return "pulumi"
    if not own.exists():
        from labelspace_ops.stack.automation import command_line  # noqa: PLC0415 - once in a machine's life

        command_line(home)
    return str(own)


def _asked(home: Home, *words: str) -> Any:
    """What Pulumi's command says as JSON; raises ``OpsError`` with its reason."""
    prepare(home)
    done = subprocess.run(
        [pulumi_binary(home), *words, "--non-interactive"],
        env={**os.environ, **environment(home)}, cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise OpsError(error_reason(done.stderr))
    return json.loads(done.stdout)


def names(home: Home) -> list[str]:
    """All workspaces of this machine, or of the bucket that a team shares."""
    folder = backend.state_folder(home)
    if folder:
        return backend.stack_names(folder)
    return sorted(one["name"] for one in _asked(home, "stack", "ls", "--json"))


def must_exist(name: str, home: Home) -> None:
    """Raise ``UsageError`` for a workspace that does not exist."""
    made = names(home)
    if name in made:
        return
    known = ", ".join(made) or "none yet"
    kept = home.backups / name
    again = f"; its backups are in {kept}: `labelspace create {name} --reuse-data`" if kept.exists() else ""
    raise UsageError(
        f"name: {name!r}: no such workspace{again}; there are: {known}. Make it: labelspace create"
    )


_DEPLOYMENTS: dict[str, tuple[bytes, dict[str, Any]]] = {}


def deployment(name: str, home: Home) -> dict[str, Any]:
    """What Pulumi keeps of a workspace's stack, secrets in the clear; asked again when that has changed."""
    must_exist(name, home)
    kept = backend.raw_state(name, home)
    known = _DEPLOYMENTS.get(name)
    if not kept or known is None or known[0] != kept:
        state = _asked(home, "stack", "export", "--show-secrets", "--stack", name)
        known = _DEPLOYMENTS[name] = (kept, state.get("deployment") or {})
    return known[1]


def resources(name: str, home: Home) -> list[dict[str, Any]]:
    """What the stack of a workspace knows to exist, secrets in the clear, as Pulumi keeps it."""
    return list(deployment(name, home).get("resources", []))


def outputs(name: str, home: Home) -> dict[str, Any]:
    """What the stack's last update exported, secrets in the clear; empty before the first."""
    return stack_outputs(resources(name, home))


def require_outputs(name: str, home: Home) -> dict[str, Any]:
    """The outputs of a workspace's stack; raises ``OpsError`` when it was never made completely."""
    found = outputs(name, home)
    if not found:
        raise OpsError(f"{name}: it was never made completely: run `labelspace create {name}` again")
    return found


def stack_outputs(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """The outputs of the stack among its resources: it takes no second question."""
    frame = next((one for one in resources if one["type"] == "pulumi:pulumi:Stack"), {})
    return {key: unwrap_secrets(value) for key, value in frame.get("outputs", {}).items()}


def unwrap_secrets(value: Any) -> Any:
    """A value without Pulumi's wrapping of secrets (sdk/go/common/resource/sig of Pulumi)."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return unwrap_secrets(json.loads(value["plaintext"]))
        return {key: unwrap_secrets(item) for key, item in value.items()}
    return [unwrap_secrets(item) for item in value] if isinstance(value, list) else value


def _says_nothing(line: str) -> bool:
    """What stands above the reason: a provider's errors are listed below their number, each with a star."""
    return "unhandled error" in line or line == "update failed" or bool(re.fullmatch(OCCURRED, line))


def error_reason(text: str) -> str:
    """The lines of Pulumi's report that say why."""
    lines = [line.strip() for line in text.splitlines() if "error:" in line or line.strip().startswith("* ")]
    words = [line.split("error:", 1)[-1].strip(" *").removeprefix(OF_THE_PROGRAM) for line in lines]
    said = list(dict.fromkeys(words))
    useful = [line for line in said if line and not _says_nothing(line)]
    return "\n".join(useful) or text

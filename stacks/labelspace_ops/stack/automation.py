"""The Pulumi stack of a workspace, through the Automation API: its tools, its settings, its state."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from pulumi.automation import PulumiCommand
from pulumi.automation._stack import StackInitMode
from semver import VersionInfo

from labelspace.home import Home
from labelspace.spec import DEFAULT_TARGET, Settings, WorkspaceSpec, parse_setting
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import backend, declared, project, pulumi_cli, state, state_files
from labelspace_ops.stack.pulumi_cli import check, environment, prepare, require_passphrase
from labelspace_ops.stack.pulumi_errors import error_of, error_reason
from labelspace_ops.stack.state import must_exist, names, with_state_file

PREFIX = "labelspace:"
ALWAYS_WRITTEN = ("port", "s3_port", "running")
"""Settings in a stack's file also where they have the default."""


class _Own(PulumiCommand):
    """The program that labelspace fetched or built: of the locked SDK's age, so its version is not asked."""

    def __init__(self, program: Path) -> None:
        self.command, self.version = str(program), VersionInfo.parse(version("pulumi"))


@cache
def command_line(home: Home) -> PulumiCommand:
    """The ``pulumi`` program for the Automation API; see ``pulumi_cli.pulumi_binary``."""
    program = pulumi_cli.pulumi_binary(home)
    return PulumiCommand() if program == "pulumi" else _Own(Path(program))


def options(home: Home, folder: Path | None = None, *, writes: bool = False) -> auto.LocalWorkspaceOptions:
    """How the Automation API works on this machine's workspaces.

    ``folder``: where the stacks' settings are, by default the project's folder. ``writes``: create what is
    missing of the home and of its project.
    """
    (prepare if writes else check)(home)
    return auto.LocalWorkspaceOptions(
        work_dir=str(folder or project.work_folder(home)),
        env_vars=environment(home),
        pulumi_home=None if declared.current() else str(home.pulumi_home),
        pulumi_command=command_line(home),
    )


class _Place(auto.LocalWorkspace):
    """Selects nothing: every command names its stack, and selecting is one more command of half a second."""

    def select_stack(self, stack_name: str) -> None:
        """Leave alone which stack is selected for plain ``pulumi``."""


class _Stack(auto.Stack):
    """After an update the Automation API runs three more commands for an answer that nobody reads here."""

    def outputs(self) -> auto.OutputMap:
        """Nothing: see ``state.outputs``."""
        return {}

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary:
        """Nothing of the history."""
        return auto.UpdateSummary("update", datetime.now(UTC), "", {}, {}, "unread")


def select(name: str, home: Home) -> auto.Stack:
    """The stack of a workspace that exists."""
    must_exist(name, home)
    require_passphrase(home)
    return open_declared(name, home) if declared.current() else open_stack(name, options(home))


class _DeclaredStack(_Stack):
    """The stack of the user's program; it goes by the name of the workspace that a command works on."""

    reference: str

    def get_all_config(self) -> auto.ConfigMap:
        """The settings of the user's stack, which has another name."""
        return self.workspace.get_all_config(self.reference)


def open_declared(name: str, home: Home) -> auto.Stack:
    """The stack of ``--stack`` that declares the workspace ``name``; it can only be read."""
    opened = _DeclaredStack(name, _Place(**vars(options(home))), StackInitMode.SELECT)
    stack = declared.current()
    opened.reference = stack.reference if stack else name
    return opened


def create_or_select(name: str, home: Home) -> auto.Stack:
    """The stack of a workspace, made when it is new."""
    return open_stack(name, options(home, writes=True), new=name not in names(home))


def open_stack(name: str, options: auto.LocalWorkspaceOptions, *, new: bool = False) -> auto.Stack:
    """The stack at its place; a ``new`` one is made."""
    mode = StackInitMode.CREATE if new else StackInitMode.SELECT
    return _Stack(name, _Place(**vars(options)), mode)


def pulumi(place: auto.Workspace, words: list[str]) -> str:
    """What Pulumi's command prints in a place, where the Automation API has no words for it."""
    environment = {**place.env_vars, "PULUMI_HOME": str(place.pulumi_home)}
    return str(place.pulumi_command.run([*words, "--non-interactive"], place.work_dir, environment).stdout)


def write_settings(stack: auto.Stack, spec: WorkspaceSpec, *, new: bool = False) -> None:
    """Write the settings to the stack's file, secrets encrypted; unchanged settings are not written."""
    values = _flat(_plain(spec))
    before = {} if new else _config(stack)
    mine = {key: value for key, value in before.items() if key.startswith(PREFIX)}
    same = {key for key, value in mine.items() if _says(key, value, values)}
    changed = {key: value for key, value in values.items() if _block(key) not in same}
    if gone := mine.keys() - same - changed.keys():
        stack.remove_all_config(sorted(gone))  # a list that got shorter would keep its old end
    plain = {key: value for key, value in changed.items() if not value.secret}
    if plain:
        stack.set_all_config(plain, path=True)
    for key in changed.keys() - plain.keys():
        _set_secret(stack, key, changed[key].value)


def _says(key: str, value: auto.ConfigValue, wanted: dict[str, auto.ConfigValue]) -> bool:
    """Whether a key of the stack's file has what is wanted of it, and hides it where it must."""
    name = key.removeprefix(PREFIX)
    had = {inner: one.value for inner, one in _flat({name: parse_setting(name, value.value)}).items()}
    mine = {inner: one for inner, one in wanted.items() if _block(inner) == key}
    hides = any(one.secret for one in mine.values())
    return had == {inner: one.value for inner, one in mine.items()} and value.secret == hides


def _block(key: str) -> str:
    return re.split(r"[.\[]", key)[0]


def _set_secret(stack: auto.Stack, key: str, text: str) -> None:
    """By standard input: the Automation API would make it an argument, which all users of the machine see."""
    place = stack.workspace
    words = ["config", "set", key, "--secret", "--path", "--stack", stack.name, "--non-interactive"]
    done = subprocess.run(
        [place.pulumi_command.command, *words], input=text, capture_output=True, text=True, check=False,
        cwd=place.work_dir, env={**os.environ, **place.env_vars, "PULUMI_HOME": str(place.pulumi_home)},
    )  # fmt: skip
    if done.returncode:
        raise OpsError(f"{key}: it cannot be kept in the stack's file: {error_reason(done.stderr)}")


def _plain(spec: WorkspaceSpec) -> Settings:
    """The settings without defaults, so that the stack's file stays short."""
    values = spec.model_dump(exclude={"name"}, exclude_defaults=True, mode="python")
    target = {} if spec.target == DEFAULT_TARGET else {"target": spec.target}
    always = {key: getattr(spec, key) for key in ALWAYS_WRITTEN if hasattr(spec, key)}
    return {**values, **target, **always}


def _flat(values: Settings) -> dict[str, auto.ConfigValue]:
    """By the paths that Pulumi takes."""
    found: dict[str, auto.ConfigValue] = {}
    _flatten(PREFIX, values, found)
    return found


def _flatten(prefix: str, value: Any, into: dict[str, auto.ConfigValue]) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _flatten(f"{prefix}{key}" if prefix.endswith(":") else f"{prefix}.{key}", item, into)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _flatten(f"{prefix}[{index}]", item, into)
    elif value is not None:
        secret = hasattr(value, "get_secret_value")
        text = value.get_secret_value() if secret else value
        into[prefix] = auto.ConfigValue(_text(text), secret=secret)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def set_running(stack: auto.Stack, *, running: bool) -> None:
    """Put into the stack's file whether the workspace shall run."""
    stack.set_config("labelspace:running", auto.ConfigValue(_text(running)))


def mark_deleted(stack: auto.Stack) -> None:
    """Put into the stack's file that only what holds data is left of the workspace."""
    stack.set_all_config(
        {"labelspace:running": auto.ConfigValue("false"), "labelspace:deleted": auto.ConfigValue("true")}
    )


def read_settings(stack: auto.Stack) -> Settings:
    """The stack's settings, as ``parse_spec`` takes them."""
    if found := declared.current():
        component = state.Resource.parse(found.workspaces[stack.name][0])
        return dict(json.loads(component.outputs["settings"]))
    values: Settings = {"name": stack.name}
    for full, value in _config(stack).items():
        key = full.removeprefix(PREFIX)
        if key != full:
            values[key] = parse_setting(key, value.value)
    return values


def settings_without_state(name: str, home: Home) -> Settings:
    """The settings in a workspace's file when its state is gone; empty without the file.

    They are empty for the file of another home, too: the name may be taken there, which the target finds out.
    Pulumi decrypts settings of a stack alone: an empty one is made in a temporary folder.
    """
    if not project.find(home).settings_file(name).exists() or not home.passphrase.exists():
        return {}
    with tempfile.TemporaryDirectory(prefix="labelspace-settings-") as folder:
        place = options(home)
        place.env_vars = {**(place.env_vars or {}), "PULUMI_BACKEND_URL": f"file://{folder}?metadata=skip"}
        try:
            return read_settings(open_stack(name, place, new=True))
        except auto.CommandError as error:
            if "incorrect passphrase" in str(error):
                return {}
            raise error_of(str(error)) from None


def provider_settings(stack: auto.Stack, package: str) -> dict[str, str]:
    """What the stack's file says to a provider, secrets in the clear."""
    prefix = f"{package}:"
    return {
        key.removeprefix(prefix): value.value
        for key, value in _config(stack).items()
        if key.startswith(prefix) and value.value
    }


_CONFIGS: dict[Path, tuple[bytes, auto.ConfigMap]] = {}


def _config(stack: auto.Stack) -> auto.ConfigMap:
    """All that the stack's file says; Pulumi, which decrypts it, is asked again when the file has changed."""
    file = Path(stack.workspace.work_dir) / "stacks" / f"Pulumi.{stack.name}.yaml"
    text = file.read_bytes() if file.exists() else b""
    known = _CONFIGS.get(file)
    if not text or known is None or known[0] != text:
        known = _CONFIGS[file] = (text, _decrypted(stack))
    return known[1]


def _decrypted(stack: auto.Stack) -> auto.ConfigMap:
    try:
        return stack.get_all_config()
    except auto.CommandError as error:
        raise with_state_file(error_of(str(error)), stack.name, Home.find()) from None


def target(stack: auto.Stack) -> str:
    """Where the workspace runs, as its settings say."""
    return str(read_settings(stack).get("target", DEFAULT_TARGET))


def update(
    stack: auto.Stack,
    program: Callable[[], None],
    on_event: Callable[[Any], None],
    *,
    only: str | None = None,
    refresh: bool = True,
) -> None:
    """Bring the workspace to its settings; by default looks first whether something was lost or changed.

    ``program``: what the stack's own program does, here in this process, which has loaded it all already.
    ``only``: no resource but those whose URN matches.
    """
    target = [only] if only else None
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)  # Pulumi reports a failed program itself
    with _operation(stack):
        stack.up(
            program=program, on_event=on_event, refresh=refresh, target=target,
            color="never", suppress_progress=True,
        )  # fmt: skip


def refresh(stack: auto.Stack, on_event: Callable[[Any], None]) -> None:
    """Compare the state with what is there, and correct the state."""
    with _operation(stack):
        stack.refresh(on_event=on_event, color="never", suppress_progress=True)


def destroy(stack: auto.Stack, on_event: Callable[[Any], None]) -> None:
    """Remove the workspace's containers; what holds data is retained."""
    with _operation(stack):
        stack.destroy(on_event=on_event, refresh=True, color="never", suppress_progress=True)


@contextmanager
def _operation(stack: auto.Stack) -> Iterator[None]:
    """Raise Pulumi's errors as ``OpsError``; write the state to the disk, also after a failure."""
    folder = backend.folder_of(stack.workspace.env_vars.get("PULUMI_BACKEND_URL", ""))
    try:
        yield
    except auto.CommandError as error:
        raise error_of(str(error)) from None
    finally:
        if folder:
            state_files.secure(folder, stack.name)

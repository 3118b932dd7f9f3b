"""Repairs a damaged state: finds the newest whole copy, shows what it lacks, and puts it in place."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from labelspace.home import Home
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import backend, progress, pulumi_cli, state, state_files
from labelspace_ops.stack.state_files import StateCopy


@dataclass(frozen=True)
class Repair:
    """What a repair will do."""

    name: str
    file: Path
    """The damaged file; it may be gone."""
    problem: str
    copy: StateCopy
    lost: frozenset[str]
    """URNs that the damaged file, or a newer copy that cannot be decrypted, names and ``copy`` does not."""
    ended: frozenset[str]
    """URNs that ``copy`` names and the damaged file does not; the refresh drops them if they are gone."""
    compared: bool
    """Whether the damaged file, or a newer copy, names resources at all."""


def find(name: str, home: Home) -> Repair | None:
    """Return the repair of a workspace's state; None when the state can be read.

    Raises ``NoSuchWorkspaceError`` without a state and without copies, ``OpsError`` without a copy that this
    machine can read, ``UsageError`` for a state that is not in a folder of this machine.
    """
    folder = _folder(name, home)
    file = state_files.state_file(folder, name)
    if not file.exists() and not state_files.has_history(folder, name):
        state.must_exist(name, home)
    problem = _problem(file, name, home)
    if not problem:
        return None
    copies = state_files.find_copies(folder, name)
    newest = next((copy for copy in copies if not _decryption_problem(copy.path, name, home)), None)
    if newest is None:
        raise OpsError(
            f"{name}: the state in {file} cannot be read ({problem}), and"
            f" {f'none of {len(copies)} copies can' if copies else 'there is no whole copy'}:"
            f" move the file away, then `labelspace create {name} --reuse-data` makes the state again"
        )
    newer = [copy.resources for copy in copies if copy.when > newest.when]
    known = state_files.named_resources(file).union(*newer)
    ended = newest.resources - known if known else frozenset()
    return Repair(name, file, problem, newest, known - newest.resources, ended, bool(known))


def _folder(name: str, home: Home) -> Path:
    folder = backend.state_folder(home)
    if folder is None:
        raise UsageError(
            f"name: the state of {name!r} is in {backend.current_url(home)}: bring back an earlier version of"
            f" .pulumi/stacks/labelspace/{name}.json with the bucket's own tools"
        )
    return folder


def _problem(file: Path, name: str, home: Home) -> str:
    if not file.exists():
        return "it is gone"
    return state_files.find_problem(file) or _decryption_problem(file, name, home)


def _decryption_problem(path: Path, name: str, home: Home) -> str:
    """Let Pulumi read a copy of the file, in a folder of its own; return the reason when it cannot."""
    with tempfile.TemporaryDirectory(prefix="labelspace-state-") as folder:
        pulumi = Path(folder) / ".pulumi"
        (pulumi / "stacks" / "labelspace").mkdir(parents=True)
        (pulumi / "meta.yaml").write_text("version: 1\n")  # the layout with a folder for each project
        ending = ".json.gz" if ".gz" in path.suffixes else ".json"
        shutil.copy(path, pulumi / "stacks" / "labelspace" / f"{name}{ending}")
        try:
            pulumi_cli.query(
                home, "stack", "export", "--show-secrets", "--stack", name,
                url=f"file://{folder}?metadata=skip",
            )  # fmt: skip
        except OpsError as error:
            return str(error)
    return ""


def apply(repair: Repair, home: Home) -> Path | None:
    """Put the copy in place and refresh it; return where the damaged file is now, None without one.

    Raises ``OpsError`` when the refresh fails; the copy is in place then.
    """
    with locks.hold(home, repair.name, "repairing"):
        damaged = state_files.replace(repair.file, repair.copy)
        message(f"{repair.name}: comparing the state with what is there")
        try:
            stack.refresh(stack.select(repair.name, home), progress.Resources().on_event)
        except OpsError as error:
            raise OpsError(
                f"{repair.name}: the copy is in place, but it could not be compared with what is there"
                f" ({error}): `labelspace create {repair.name}` repeats that"
            ) from None
    return damaged

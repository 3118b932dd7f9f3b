"""Folders of this machine that containers use: whether the containers still see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labelspace.home import Home
from labelspace.postgres.pgbackrest import REPOSITORY
from labelspace_ops.backup import agent
from labelspace_ops.core.checks import Check, failed
from labelspace_ops.runtime.base import Runtime, read_output
from labelspace_ops.stack.state import Properties
from labelspace_ops.targets.local.bucket_folders import emptied_folders, known_folders, record


@dataclass(frozen=True)
class _Shared:
    """A folder of this machine in a container."""

    name: str
    """Of the check."""
    folder: Path
    part: str
    inside: str
    """Its path in the container."""

    @property
    def is_bucket(self) -> bool:
        """Whether it is a bucket's, which may be empty; a folder of backups never is."""
        return self.part == "gateway"


def measure(outputs: Properties, runtime: Runtime, home: Home) -> list[Check]:
    """Return a failed check for each folder that was removed, emptied or mounted over.

    The other folders of buckets are recorded: a later start compares them. ``outputs``: those of the stack.
    """
    name = runtime.workspace
    running = {part for part, one in runtime.services().items() if one.running}
    used = [one for one in _shared(outputs, home, name) if one.part in running]
    emptied = emptied_folders(name, home)
    problems = {one: problem for one in used if (problem := _problem(runtime, one, emptied))}
    record(name, [one.folder for one in used if one.is_bucket and one not in problems], home)
    again = f"`labelspace stop {name}` and `labelspace start {name}`"
    return [
        failed(one.name, f"{problem}: bring {one.folder} back, then {again}")
        for one, problem in problems.items()
    ]


def _shared(outputs: Properties, home: Home, workspace: str) -> Iterator[_Shared]:
    """Yield the folder of each bucket that has one on this machine, and the folder of the backups."""
    known = known_folders(home)
    for bucket in outputs.get("buckets", []):
        name = bucket["name"]
        if bucket.get("path") or name in known:
            folder = Path(bucket.get("path") or home.buckets / name)
            yield _Shared(f"bucket {name}", folder, "gateway", f"/buckets/{name}")
    backups = home.backups / workspace
    if outputs.get("backups", {}).get("where") == str(backups):
        yield from (_Shared("backups", backups, part, REPOSITORY) for part in agent.PARTS)


def _problem(runtime: Runtime, shared: _Shared, emptied: set[Path]) -> str:
    """Compare inodes: a container keeps the folder that was there when it started.

    ``emptied``: folders that are empty and held files; the engine may have started over an unmounted disk.
    """
    if not shared.folder.exists():
        return "its folder is gone"
    seen = read_output(runtime, shared.part, ["stat", "-c", "%i", shared.inside])
    if seen.exit_code == 0 and seen.output.strip() != str(shared.folder.stat().st_ino):
        return "its folder is not the one that its container sees (removed, mounted or unmounted)"
    if shared.folder in emptied:
        return "its folder is another one than before, and empty (is a disk not mounted?)"
    return ""

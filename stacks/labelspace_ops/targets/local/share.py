"""The file share as CVAT's user sees it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from labelspace.targets.local.container import SHARE_ROOT
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.base import Runtime, read_output

_LIST_UNREADABLE = """\
import json, os, sys, time
end, found = time.monotonic() + float(sys.argv[1]), []
def refuse(error):
    if isinstance(error, PermissionError):
        found.append(error.filename)
def paths():
    for top in sys.argv[2:]:
        if os.path.isfile(top):
            yield top
        for folder, _, names in os.walk(top, onerror=refuse):
            yield from (os.path.join(folder, name) for name in names)
def is_shut(path):
    try:
        os.stat(path)
    except OSError as error:
        return isinstance(error, PermissionError)
    return not os.access(path, os.R_OK)
for path in paths():
    if is_shut(path):
        found.append(path)
    if time.monotonic() > end:
        break
print(json.dumps([found, time.monotonic() <= end]))
"""


@dataclass(frozen=True)
class Unreadable:
    """Files and folders that CVAT's user cannot read, as BUCKET/KEY."""

    paths: frozenset[str]
    is_complete: bool
    """Whether everything was examined within the time limit."""

    def keys(self, bucket: str) -> frozenset[str]:
        """Return the keys in one bucket; the bucket's own folder is an empty key."""
        inside = [path for path in self.paths if path == bucket or path.startswith(f"{bucket}/")]
        return frozenset(path[len(bucket) + 1 :] for path in inside)


def find_unreadable(runtime: Runtime, places: Sequence[str], seconds: float = math.inf) -> Unreadable:
    """Return what CVAT's user cannot read in ``places`` (BUCKET or BUCKET/PREFIX), in at most ``seconds``.

    A file is not readable when somebody copied it into the bucket's folder with other permissions: the
    gateway, which runs as root, lists it all the same. Raises ``OpsError`` when the share cannot be listed.
    """
    tops = [f"{SHARE_ROOT}/{place}".rstrip("/") for place in places]
    result = read_output(runtime, "server", ["python3", "-c", _LIST_UNREADABLE, str(seconds), *tops])
    if result.exit_code:
        raise OpsError(
            f"the share of {runtime.workspace} cannot be listed: {result.output.strip()[-300:]}: see"
            f" `labelspace status {runtime.workspace}`"
        )
    found, is_complete = json.loads(result.output.splitlines()[-1])
    paths = frozenset(path.removeprefix(f"{SHARE_ROOT}/") for path in found)
    return Unreadable(paths, is_complete=is_complete)

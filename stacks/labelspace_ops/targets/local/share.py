"""The file share as CVAT's user sees it."""

from __future__ import annotations

import json

from labelspace.targets.local.container import SHARE_ROOT
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.base import Runtime

_LIST_UNREADABLE = """\
import json, os, sys
found, top = [], sys.argv[1]
def refuse(error):
    if isinstance(error, PermissionError):
        found.append(error.filename)
paths = [top] if os.path.isfile(top) else (
    os.path.join(folder, name) for folder, _, names in os.walk(top, onerror=refuse) for name in names)
found += [path for path in paths if os.path.exists(path) and not os.access(path, os.R_OK)]
print(json.dumps(found))
"""


def unreadable_keys(runtime: Runtime, bucket: str, prefix: str) -> frozenset[str]:
    """Return the keys of files and folders under ``prefix`` that CVAT's user cannot read.

    A file is not readable when somebody copied it into the bucket's folder with other permissions: the
    gateway, which runs as root, lists it all the same. Raises ``OpsError`` when the share cannot be listed.
    """
    root = f"{SHARE_ROOT}/{bucket}"
    top = f"{root}/{prefix}".rstrip("/")
    result = runtime.exec("server", ["python3", "-c", _LIST_UNREADABLE, top])
    if result.exit_code:
        raise OpsError(f"the share of {runtime.workspace} cannot be listed: {result.output.strip()[-300:]}")
    return frozenset(path.removeprefix(f"{root}/") for path in json.loads(result.output.splitlines()[-1]))

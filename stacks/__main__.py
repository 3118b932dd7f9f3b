"""What ``pulumi up`` runs."""

from __future__ import annotations

import sys

from labelspace_ops.backup import upgrade
from labelspace_ops.core.reporting import Event, subscribe, to_line
from labelspace_ops.workspaces import program


def _print(event: Event) -> None:
    sys.stderr.write(f"{to_line(event)}\n")


subscribe(_print)
program.run(before_upgrade=upgrade.hook)

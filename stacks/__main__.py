"""What ``pulumi up`` runs."""

from __future__ import annotations

import sys

from labelspace_ops.backup import upgrade
from labelspace_ops.core.reporting import subscribe, to_line
from labelspace_ops.workspaces import program

subscribe(lambda event: sys.stderr.write(f"{to_line(event)}\n"))
program.run(before_upgrade=upgrade.hook)

"""What ``pulumi up`` runs."""

from __future__ import annotations

from labelspace_ops.backup import upgrade
from labelspace_ops.workspaces import program

program.run(before_upgrade=upgrade.hook)

"""What ``pulumi up`` runs."""

from __future__ import annotations

from labelspace_ops.workspaces import program

program.main()

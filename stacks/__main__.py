"""What ``pulumi up`` runs."""

from __future__ import annotations

from labelspace_ops import program

program.run()

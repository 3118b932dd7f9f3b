"""The database's names, the same on every target."""

from __future__ import annotations

DATABASE_ALIAS = "cvat-db"
"""Its host name among the workspace's containers."""
DATABASE_NAME = "cvat"
DATABASE_USER = "cvat"

"""The life of a workspace: create, status, preview, stop, delete."""

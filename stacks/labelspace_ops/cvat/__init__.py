"""CVAT's REST API, and workspaces that sleep."""

"""CVAT's REST API, and sleep."""

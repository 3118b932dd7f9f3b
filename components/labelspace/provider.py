"""The components for stacks in other languages: each takes one typed block of arguments.

``pulumi.provider.experimental`` derives the schema from ``labelspace.args`` and from docstrings.
"""
# Annotations are real here, not text: the schema is read from them.

import pulumi

from labelspace import components, workspace
from labelspace.args import AnnotationDatabaseArgs, DatasetBucketArgs, WorkspaceArgs


class Workspace(workspace.Workspace):
    """A CVAT server with its admin, its dataset buckets and its backed-up annotation database."""

    def __init__(self, name: str, args: WorkspaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts, **args)


class DatasetBucket(components.DatasetBucket):
    """A dataset bucket by itself: a folder of this machine, versioned, served over S3 by its own gateway."""

    def __init__(
        self, name: str, args: DatasetBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts, **args)


class AnnotationDatabase(components.AnnotationDatabase):
    """An annotation database by itself: PostgreSQL 15, backed up by pgBackRest from the first minute."""

    def __init__(
        self, name: str, args: AnnotationDatabaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts, **args)


VERSION = "0.1.0"
"""The version of the package. A constant, because a plugin's folder is no installed distribution."""
COMPONENTS: list[type[pulumi.ComponentResource]] = [Workspace, DatasetBucket, AnnotationDatabase]
"""What the package offers; ``AnnotationServer`` takes other components, which no argument block can hold."""

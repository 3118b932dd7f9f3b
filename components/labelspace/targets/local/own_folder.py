"""A dataset bucket that is a folder of the user's own: what it must be, and how containers are given it."""

from __future__ import annotations

import stat
from pathlib import Path

import pulumi_docker as docker

from labelspace.home import Home


def problem(folder: str, home: Home) -> str:
    """Return why a folder cannot be a dataset bucket, with the next step; empty when it can."""
    try:
        path = Path(folder).resolve(strict=True)
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return f"{folder} cannot be opened ({reason}): give a folder of this machine that is there"
    if not is_folder:
        return f"{folder} is not a folder: give the folder that holds the files"
    root = home.root.resolve()
    if path.is_relative_to(root):
        return (
            f"{folder} is inside {home.root}, where labelspace keeps data of its own: give another folder, or"
            " leave path out for a bucket there"
        )
    if root.is_relative_to(path):
        return (
            f"{folder} contains {home.root}, whose keys and backups CVAT would show: give a folder of images"
            " alone"
        )
    return ""


def mount(folder: str, path: str) -> docker.ContainerMountArgs:
    """Mount a folder read-only at ``path``.

    Unlike a volume's bind, a mount fails where the folder is gone: the engine makes none. It has no label for
    SELinux, because such a label is written into every file of the folder.
    """
    return docker.ContainerMountArgs(type="bind", source=folder, target=path, read_only=True)

"""The connected file share: listing and what a task takes from it."""

import mimetypes
from pathlib import Path

from django.conf import settings

IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"}
VIDEOS = {".mp4", ".avi", ".mov", ".mkv", ".webm"}


class BadPathError(ValueError):
    """A path that is not inside of the share, or not as CVAT 2.65 and later want it."""


def inside(relative):
    root = settings.SHARE_ROOT.resolve()
    path = (root / relative.lstrip("/")).resolve()
    if path != root and root not in path.parents:
        raise BadPathError(f"{relative.lstrip('/')} is an invalid directory")
    return path


def kind(path):
    if path.suffix.lower() in IMAGES:
        return "image"
    if path.suffix.lower() in VIDEOS:
        return "video"
    guess = mimetypes.guess_type(path.name)[0] or ""
    return "archive" if "zip" in guess or "pdf" in guess else "unknown"


def listing(directory, search=""):
    folder = inside(directory)
    if not folder.is_dir():
        raise BadPathError(f"{directory.lstrip('/')} is an invalid directory")
    entries = [entry for entry in folder.iterdir() if entry.name.startswith(search)]
    rows = [
        {"name": entry.name, "type": "DIR", "mime_type": "DIR"}
        if entry.is_dir()
        else {"name": entry.name, "type": "REG", "mime_type": kind(entry)}
        for entry in entries
    ]
    return sorted(rows, key=lambda row: (row["type"] != "DIR", row["name"]))


def checked(server_files):
    for name in server_files:
        parts = name.rstrip("/").split("/")
        if name.startswith("/") or any(part in ("", ".", "..") for part in parts):
            raise BadPathError(f"{name} is an invalid path")
    return list(server_files)


def media(server_files):
    """Relative paths of what a task shows: images of folders, or files by name; the rest is dropped."""
    found = []
    for name in server_files:
        path = inside(name)
        if path.is_dir():
            found += [item for item in path.rglob("*") if item.is_file() and kind(item) == "image"]
        elif not path.exists():
            raise FileNotFoundError(f"No such file or directory: {path}")
        elif kind(path) in ("image", "video"):
            found.append(path)
    kinds = {kind(path) for path in found}
    if not found:
        folders = any(inside(name).is_dir() for name in server_files)
        raise ValueError("No image found" if folders else "No media data found")
    if len(kinds) > 1:
        raise ValueError("Only one video or many images can be used in a task")
    return sorted(str(Path(path).relative_to(settings.SHARE_ROOT.resolve())) for path in found)

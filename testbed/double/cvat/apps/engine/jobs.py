"""What workers do: make a task of files of the share, read a frame, write an export."""

import io
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections, transaction
from PIL import Image as Picture

from cvat.apps.engine import exports, share
from cvat.apps.engine.models import Data, Image, Job, Project, Segment, ServerFile, Task

CHUNK = 72
"""Frames in a chunk when none is asked for."""


class TaskError(Exception):
    """Why a task cannot be made."""


def create_task(task_id, body):
    """``body``: the body of POST /api/tasks/N/data, checked."""
    close_old_connections()
    task = Task.objects.get(id=task_id)
    files = _chosen(share.media(body["server_files"]), body)
    frames = [_measured(name) for name in files]
    with transaction.atomic():
        _store(task, frames, body)


def _chosen(files, body):
    if body.get("sorting_method") == "predefined":
        files = [name for name in body["server_files"] if name in set(files)] or files
    left_out = set(body.get("server_files_exclude") or [])
    return [name for name in files if name not in left_out]


def _measured(name):
    path = settings.SHARE_ROOT / name
    if share.kind(path) == "video":
        raise TaskError(f"the CVAT double does not decode videos: {name}")
    with Picture.open(path) as image:
        image.verify()
        return Image(path=name, width=image.width, height=image.height)


def _store(task, frames, body):
    size = len(frames)
    data = Data.objects.get(id=task.data_id)
    data.size, data.stop_frame, data.chunk_size = size, size - 1, body.get("chunk_size") or CHUNK
    data.save()
    for number, frame in enumerate(frames):
        frame.data, frame.frame = data, number
    Image.objects.bulk_create(frames)
    ServerFile.objects.bulk_create(ServerFile(data=data, file=name) for name in body["server_files"])
    task.mode, task.dimension, task.media_type = "annotation", "2d", "image"
    task.overlap = min(task.overlap or 0, max((task.segment_size or size) - 1, 0))
    step = task.segment_size or size
    task.segment_size = min(step, size)
    task.save()
    for start in range(0, size, step):
        _job(task, max(0, start - task.overlap), min(start + step, size) - 1)


def _job(task, first, last):
    segment = Segment.objects.create(task=task, start_frame=first, stop_frame=last)
    Job.objects.create(segment=segment)


def read_frame(name, quality):
    """The file as it is, or as a JPEG of the asked quality: ``(bytes, media type)``."""
    path = settings.SHARE_ROOT / name
    if quality is None:
        return path.read_bytes(), Picture.MIME[Picture.open(path).format]
    out = io.BytesIO()
    with Picture.open(path) as image:
        image.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue(), "image/jpeg"


MODELS = {"project": Project, "task": Task, "job": Job}


def export(target, number, host, *, with_images):
    """Writes the file of an export and returns its path."""
    close_old_connections()
    folder = Path(settings.DATA_ROOT) / "cache" / "export"
    folder.mkdir(parents=True, exist_ok=True)
    kind = "dataset" if with_images else "annotations"
    path = folder / f"{target}-{number}-{kind}.zip"
    part = path.with_suffix(".part")
    exports.write(MODELS[target].objects.get(id=number), part, host, with_images=with_images)
    part.rename(path)
    return str(path)

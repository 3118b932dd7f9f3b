"""What workers do: make a task of files of the share, read a frame."""

from django.conf import settings
from PIL import Image

from cvat.apps.engine import share


def create_task(task_id, server_files):
    from cvat.apps.engine.models import Task

    task = Task.objects.get(id=task_id)
    try:
        task.files = [_measured(name) for name in share.media(server_files)]
        task.state = "Finished"
    except Exception as error:
        task.state, task.message = "Failed", f"{type(error).__name__}: {error}"
    task.save()


def _measured(name):
    path = settings.SHARE_ROOT / name
    if share.kind(path) == "video":
        with path.open("rb") as file:
            file.read(1)
        return {"name": name, "width": 0, "height": 0}
    with Image.open(path) as image:
        image.verify()
        return {"name": name, "width": image.width, "height": image.height}


def read_frame(name):
    return (settings.SHARE_ROOT / name).read_bytes()

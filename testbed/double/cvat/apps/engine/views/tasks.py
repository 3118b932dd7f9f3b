"""Tasks and their data, jobs, frames."""

from django.db import transaction
from django.http import HttpResponse
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.response import Response

from cvat.apps.engine import jobs as work
from cvat.apps.engine import labels as label_work
from cvat.apps.engine import requests, rows, share
from cvat.apps.engine.access import above, at_least_user, seen, staff, visible
from cvat.apps.engine.lists import listed
from cvat.apps.engine.models import Data, Job, Project, Task
from cvat.apps.engine.unknown import NotInTheDoubleError
from cvat.apps.engine.views.projects import assign, known, named, person, store

FIELDS = {
    "id": "id",
    "name": "name",
    "owner": "owner__username",
    "assignee": "assignee__username",
    "project_id": "project_id",
    "project_name": "project__name",
    "status": "status",
    "subset": "subset",
    "mode": "mode",
    "dimension": "dimension",
    "media_type": "media_type",
    "updated_date": "updated_date",
}
PLAIN = ("name", "bug_tracker", "subset")
KNOWN = {*PLAIN, "labels", "owner_id", "assignee_id", "project_id", "source_storage", "target_storage"}
MAKING = {*KNOWN, "overlap", "segment_size"}


@api_view(["GET", "POST"])
def tasks(request):
    if request.method == "GET":
        search = ("name", "project__name", "owner__username", "assignee__username", "status", "subset")
        return listed(request, visible(Task, request.user), rows.task, fields=FIELDS, search=search)
    at_least_user(request.user)
    known(request.data, MAKING)
    return Response(rows.task(request, _made(request)), 201)


def _made(request):
    body, project = request.data, None
    if body.get("project_id"):
        if body.get("labels"):
            raise Refused(["Task must have only one of Label set or project_id"])
        if not Project.objects.filter(id=body["project_id"]).exists():
            raise Refused(["Project matching query does not exist."])
        project = seen(Project, request.user, body["project_id"])
        staff(request.user, project)
    if (body.get("segment_size") or 0) < 0:
        raise Refused({"segment_size": ["Ensure this value is greater than or equal to 0."]})
    if len(body.get("subset") or "") > 64:
        raise Refused({"subset": ["Ensure this field has no more than 64 characters."]})
    task = Task(
        name=named(body),
        project=project,
        subset=body.get("subset") or "",
        bug_tracker=body.get("bug_tracker", ""),
        owner_id=person(body.get("owner_id"), "owner_id") or request.user.id,
        overlap=body.get("overlap"),
        segment_size=body.get("segment_size") or 0,
        source_storage=store(body, "source_storage"),
        target_storage=store(body, "target_storage"),
    )
    assign(task, body)
    with transaction.atomic():
        task.save()
        label_work.create(label_work.of(body), task)
    return task


@api_view(["GET", "PATCH", "DELETE"])
def one_task(request, number):
    task = seen(Task, request.user, number)
    if request.method == "DELETE":
        above(request.user, task)
        task.delete()
        return Response(status=204)
    if request.method == "PATCH":
        _patch(request, task)
    return Response(rows.task(request, task))


def _patch(request, task):
    body = request.data
    known(body, KNOWN)
    if {"assignee_id", "owner_id", "project_id"} & set(body):
        above(request.user, task)
    if body.get("project_id", task.project_id) != task.project_id:
        raise NotInTheDoubleError("moving a task to another project")
    if body.get("labels") and task.project:
        raise Refused(["Labels of a task that belongs to a project are the project's"])
    for field in PLAIN:
        setattr(task, field, body.get(field, getattr(task, field)))
    task.owner_id = person(body.get("owner_id", task.owner_id), "owner_id")
    assign(task, body)
    label_work.update(label_work.of(body), task)
    task.save()
    task.refresh_from_db()


DATA = {
    *("image_quality", "server_files", "server_files_exclude", "sorting_method", "chunk_size", "copy_data"),
    *("use_cache", "use_zip_chunks"),
}
NOTHING = ("client_files", "remote_files", "stop_frame", "start_frame", "frame_filter", "cloud_storage_id")
SORTING = {"lexicographical", "natural", "predefined"}


@api_view(["POST", "GET"])
def task_data(request, number):
    task = seen(Task, request.user, number)
    if request.method == "GET":
        return frame(request, task, 0)
    if task.data_id:
        raise Refused(["Adding more data is not supported"])
    data = _checked_body(request.data)
    task.data = Data.objects.create(image_quality=data.get("image_quality", 70))
    task.save()
    request_id = requests.name_of(action="create", target="task", target_id=task.id)
    meta = {"task_id": task.id, "project_id": task.project_id}
    requests.start("import", request_id, work.create_task, task.id, data, user=request.user, meta=meta)
    return Response({"rq_id": request_id}, 202)


def _checked_body(body):
    """What is asked of the import, in plain types; what the double would leave out is a 501."""
    body = {name: value for name, value in body.items() if not (name in NOTHING and not value)}
    known(body, DATA)
    if body.get("copy_data"):
        raise NotInTheDoubleError("copying the share's files")
    quality = body.get("image_quality", 70)
    if not 1 <= quality <= 100:
        bound = "greater than or equal to 1" if quality < 1 else "less than or equal to 100"
        raise Refused({"image_quality": [f"Ensure this value is {bound}."]})
    if body.get("sorting_method", "lexicographical") not in SORTING:
        raise NotInTheDoubleError(f"sorting_method {body['sorting_method']}")
    try:
        share.checked(body.get("server_files") or [])
    except share.BadPathError as error:
        raise Refused({"server_files": [str(error)]}) from None
    return dict(body)


def frame(request, task, first):
    """One frame of a task; ``first`` is where the asker's part of it begins."""
    kind = request.query_params.get("type")
    if kind in ("chunk", "context_image", "preview"):
        raise NotInTheDoubleError(f"data of type {kind}")
    if kind != "frame":
        raise Refused(["Data type not specified or has wrong value"])
    number = int(request.query_params.get("number", first))
    image = task.data and task.data.images.filter(frame=number).first()
    if image is None:
        raise NotFound(f"Frame {number} is out of range")
    original = request.query_params.get("quality") == "original"
    quality = None if original else task.data.image_quality or 70
    job = requests.queue("chunks").enqueue(work.read_frame, image.path, quality, result_ttl=60)
    latest = job.latest_result(timeout=50)
    if latest is None or latest.return_value is None:
        return Response({"detail": "the frame is not ready"}, 429 if latest is None else 500)
    content, media_type = latest.return_value
    return HttpResponse(content, content_type=media_type)


@api_view(["GET"])
def task_meta(request, number):
    return Response(_meta(seen(Task, request.user, number)))


@api_view(["GET"])
def job_meta(request, number):
    job = seen(Job, request.user, number)
    return Response(_meta(job.task, job.segment))


def _meta(task, segment=None):
    data = task.data
    if data is None:
        raise Refused(["Data is not uploaded for the task yet"])
    first, last = (segment.start_frame, segment.stop_frame) if segment else (0, max(data.size - 1, 0))
    frames = data.images.filter(frame__range=(first, last)).order_by("frame")
    updated = task.segment_set.order_by("-chunks_updated_date").values_list("chunks_updated_date", flat=True)
    return {
        "chapters": None,
        "chunks_updated_date": updated.first() or task.created_date,
        "chunk_size": data.chunk_size,
        "size": len(frames),
        "image_quality": data.image_quality,
        "start_frame": first,
        "stop_frame": last,
        "frame_filter": data.frame_filter,
        "frames": [
            {
                "width": one.width,
                "height": one.height,
                "name": one.path,
                "related_files": 0,
                "has_related_context": False,
            }
            for one in frames
        ],
        "deleted_frames": [],
        "included_frames": None,
        "cloud_storage_id": None,
        "storage": data.storage,
    }


JOB_FIELDS = {
    "id": "id",
    "task_id": "segment__task_id",
    "task_name": "segment__task__name",
    "project_id": "segment__task__project_id",
    "project_name": "segment__task__project__name",
    "assignee": "assignee__username",
    "stage": "stage",
    "state": "state",
    "status": "status",
    "type": "type",
    "dimension": "segment__task__dimension",
    "updated_date": "updated_date",
}


@api_view(["GET"])
def jobs(request):
    search = ("segment__task__name", "segment__task__project__name", "assignee__username", "state", "stage")
    return listed(request, visible(Job, request.user), rows.job, fields=JOB_FIELDS, search=search)


STAGES = {"annotation", "validation", "acceptance"}
STATES = {"new", "in progress", "completed", "rejected"}
STATUS_OF = {"annotation": "annotation", "validation": "validation", "acceptance": "completed"}


@api_view(["GET", "PATCH"])
def one_job(request, number):
    job = seen(Job, request.user, number)
    if request.method == "PATCH":
        _patch_job(request, job)
    return Response(rows.job(request, job))


def _patch_job(request, job):
    body = {**request.data}
    if "assignee" in body:
        body["assignee_id"] = body.pop("assignee")
    known(body, {"assignee_id", "stage", "state"})
    if {"assignee_id", "stage"} & set(body):
        staff(request.user, job)
    for field, choices in (("stage", STAGES), ("state", STATES)):
        if body.get(field, getattr(job, field)) not in choices:
            raise Refused({field: [f'"{body[field]}" is not a valid choice.']})
    if body.get("stage", job.stage) != job.stage:
        job.state = "new"
    job.stage, job.state = body.get("stage", job.stage), body.get("state", job.state)
    job.status = STATUS_OF[job.stage]
    assign(job, body)
    job.save()
    job.refresh_from_db()


@api_view(["GET"])
def job_data(request, number):
    job = seen(Job, request.user, number)
    return frame(request, job.task, job.segment.start_frame)

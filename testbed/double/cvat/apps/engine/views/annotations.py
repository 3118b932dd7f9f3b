"""Annotations, exports and background requests."""

from urllib.parse import urlencode

from django.http import FileResponse
from django.utils import timezone
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.response import Response

from cvat.apps.engine import annotations as stored
from cvat.apps.engine import exports, requests
from cvat.apps.engine import jobs as work
from cvat.apps.engine.access import seen
from cvat.apps.engine.models import Job, Task
from cvat.apps.engine.unknown import NotInTheDoubleError

CHANGES = {"create": stored.create, "update": stored.update, "delete": stored.delete}


@api_view(["GET", "PUT", "PATCH", "DELETE", "POST"])
def task_annotations(request, number):
    return _annotations(request, seen(Task, request.user, number))


@api_view(["GET", "PUT", "PATCH", "DELETE", "POST"])
def job_annotations(request, number):
    return _annotations(request, seen(Job, request.user, number))


def _annotations(request, found):
    if isinstance(found, Task) and found.data_id is None:
        raise Refused(["Exporting annotations from a task without data is not allowed"])
    if request.method == "GET":
        return Response(stored.read(found))
    if request.method == "PUT":
        return Response(stored.replace(found, request.data))
    if request.method == "DELETE":
        stored.remove(found)
        return Response(status=204)
    if request.method == "POST":
        raise NotInTheDoubleError("importing annotations from a file")
    action = request.query_params.get("action")
    if action not in CHANGES:
        raise Refused(["Please specify a correct 'action' for the request"])
    return Response(CHANGES[action](found, request.data))


@api_view(["POST"])
def export(request, target, number):
    """Begin an export; the answer names the request to follow."""
    found = seen(work.MODELS[target], request.user, number)
    query = request.query_params
    if query.get("format") != exports.FORMAT:
        raise NotInTheDoubleError(f"the format {query.get('format')}")
    if query.get("location", "local") != "local":
        raise NotInTheDoubleError("cloud storages")
    with_images = query.get("save_images", "false").lower() == "true"
    request_id = requests.name_of(
        action="export",
        target=target,
        target_id=found.id,
        user_id=request.user.id,
        format=query["format"],
        subresource="dataset" if with_images else "annotations",
    )
    _start(request, found, target, request_id, with_images)
    return Response({"rq_id": request_id}, 202)


def _start(request, found, target, request_id, with_images):
    query = urlencode({"rq_id": request_id})
    url = request.build_absolute_uri(f"/api/{target}s/{found.id}/dataset/download?{query}")
    kind = "dataset" if with_images else "annotations"
    name = f"{target}_{found.id}_{kind}_{timezone.now():%Y_%m_%d_%H_%M_%S}_{exports.FORMAT.lower()}.zip"
    meta = {
        **_places(target, found),
        "result_url": url,
        "filename": request.query_params.get("filename", name),
    }
    host = request.build_absolute_uri("/").rstrip("/")
    started = {"user": request.user, "meta": meta, "with_images": with_images}
    requests.start("export", request_id, work.export, target, found.id, host, **started)


def _places(target, found):
    """The ids of the project, task and job that it is about."""
    task = {"project": None, "task": found}.get(target) if target != "job" else found.task
    project = task.project_id if task else found.id
    job = found.id if target == "job" else None
    return {"project_id": project, "task_id": task and task.id, "job_id": job}


@api_view(["GET"])
def download(request, target, number):
    seen(work.MODELS[target], request.user, number)
    found = requests.owned(request.user, request.query_params.get("rq_id", ""))
    latest = found.latest_result()
    if latest is None or not latest.return_value:
        raise Refused(["The export process is not finished"])
    return FileResponse(open(latest.return_value, "rb"), as_attachment=True, filename=found.meta["filename"])


@api_view(["GET"])
def one_request(request, request_id):
    return Response(requests.row(requests.owned(request.user, request_id)))


@api_view(["GET"])
def all_requests(request):
    rows = [requests.row(found) for found in requests.of(request.user)]
    return Response({"count": len(rows), "next": None, "previous": None, "results": rows})

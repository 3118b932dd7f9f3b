"""Projects and labels."""

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.response import Response

from cvat.apps.engine import labels as label_work
from cvat.apps.engine import rows
from cvat.apps.engine.access import above, at_least_user, seen, staff, visible
from cvat.apps.engine.lists import listed
from cvat.apps.engine.models import Job, Label, Project, Storage, Task
from cvat.apps.engine.unknown import NotInTheDoubleError

FIELDS = {
    "id": "id",
    "name": "name",
    "owner": "owner__username",
    "assignee": "assignee__username",
    "status": "status",
    "updated_date": "updated_date",
}
PLAIN = ("name", "bug_tracker")
KNOWN = {*PLAIN, "labels", "owner_id", "assignee_id", "source_storage", "target_storage"}


def known(body, names):
    """A field that the double would lose is a 501."""
    for name in body:
        if name not in names:
            raise NotInTheDoubleError(f"the field {name}")


def named(body):
    if not str(body.get("name") or "").strip():
        blank = "This field may not be blank." if "name" in body else "This field is required."
        raise Refused({"name": [blank]})
    if len(body["name"]) > 256:
        raise Refused({"name": ["Ensure this field has no more than 256 characters."]})
    return body["name"]


def store(body, name):
    """A storage of a project or task: only the local one is here."""
    storage = body.get(name)
    if not storage:
        return None
    if storage.get("location", "local") != "local":
        raise NotInTheDoubleError("cloud storages")
    return Storage.objects.create(location="local")


def assign(found, body):
    """Set or take away the assignee, with the time of it."""
    if "assignee_id" not in body or body["assignee_id"] == found.assignee_id:
        return
    person(body["assignee_id"], "assignee_id")
    found.assignee_id, found.assignee_updated_date = body["assignee_id"], timezone.now()


def person(number, field):
    if number is not None and not get_user_model().objects.filter(id=number).exists():
        raise Refused({field: [f'Invalid pk "{number}" - object does not exist.']})
    return number


@api_view(["GET", "POST"])
def projects(request):
    if request.method == "GET":
        search = ("name", "owner__username", "assignee__username", "status")
        return listed(request, visible(Project, request.user), rows.project, fields=FIELDS, search=search)
    at_least_user(request.user)
    known(request.data, KNOWN)
    project = Project(
        name=named(request.data),
        bug_tracker=request.data.get("bug_tracker", ""),
        owner_id=person(request.data.get("owner_id"), "owner_id") or request.user.id,
        source_storage=store(request.data, "source_storage"),
        target_storage=store(request.data, "target_storage"),
    )
    assign(project, request.data)
    with transaction.atomic():
        project.save()
        label_work.create(label_work.of(request.data), project)
    return Response(rows.project(request, project), 201)


@api_view(["GET", "PATCH", "DELETE"])
def one_project(request, number):
    project = seen(Project, request.user, number)
    if request.method == "DELETE":
        above(request.user, project)
        project.delete()
        return Response(status=204)
    if request.method == "PATCH":
        _patch(request, project)
    return Response(rows.project(request, project))


def _patch(request, project):
    known(request.data, KNOWN)
    if {"assignee_id", "owner_id"} & set(request.data):
        above(request.user, project)
    for field in PLAIN:
        setattr(project, field, request.data.get(field, getattr(project, field)))
    project.owner_id = person(request.data.get("owner_id", project.owner_id), "owner_id")
    assign(project, request.data)
    label_work.update(label_work.of(request.data), project)
    project.save()
    project.refresh_from_db()


PARENTS = {"project_id": Project, "task_id": Task, "job_id": Job}
LABEL_FIELDS = {"id": "id", "name": "name", "type": "type", "color": "color"}


@api_view(["GET"])
def labels(request):
    wanted = [name for name in PARENTS if name in request.query_params]
    found = _labels_of(request, *wanted) if wanted else _every_label(request.user)
    return listed(request, found, rows.label, fields=LABEL_FIELDS, order="id", seen=wanted)


def _labels_of(request, name, *others):
    if others:
        raise NotInTheDoubleError("labels of several parents at once")
    return rows.labels_of(seen(PARENTS[name], request.user, request.query_params[name]))


def _every_label(user):
    own = Label.objects.filter(task__in=visible(Task, user))
    return (own | Label.objects.filter(project__in=visible(Project, user))).distinct()


@api_view(["GET", "PATCH", "DELETE"])
def one_label(request, number):
    label = Label.objects.filter(id=number).first()
    parent = label and (label.project or label.task)
    if parent is None:
        return Response({"detail": "No Label matches the given query."}, 404)
    seen(type(parent), request.user, parent.id)
    if request.method == "GET":
        return Response(rows.label(request, label))
    staff(request.user, parent)
    if request.method == "DELETE":
        label.delete()
        return Response(status=204)
    if request.data.get("deleted"):
        raise Refused(
            ["Labels cannot be deleted by updating in this endpoint. Please use the DELETE method."]
        )
    label_work.update([{**request.data, "id": label.id}], parent)
    return Response(rows.label(request, Label.objects.get(id=number)))

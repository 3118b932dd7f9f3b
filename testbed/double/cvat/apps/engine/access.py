"""Who may do what, outside of organizations (cvat/apps/*/rules/*.rego at v2.73.0)."""

from django.db.models import Q
from rest_framework.exceptions import NotFound, PermissionDenied

from cvat.apps.engine.models import Job, Project, Task

DENIED = "You do not have permission to perform this action."


def roles(user):
    return set(user.groups.values_list("name", flat=True))


def is_admin(user):
    return user.is_superuser or "admin" in roles(user)


def at_least_user(user):
    """Group `worker` neither browses the share nor makes projects and tasks."""
    if not (is_admin(user) or "user" in roles(user)):
        raise PermissionDenied(DENIED)


def _of(user, *paths):
    wanted = Q()
    for path in paths:
        wanted |= Q(**{path: user.id})
    return wanted


STAFF = {
    Project: ("owner_id", "assignee_id"),
    Task: ("owner_id", "assignee_id", "project__owner_id", "project__assignee_id"),
    Job: (
        "segment__task__owner_id",
        "segment__task__assignee_id",
        "segment__task__project__owner_id",
        "segment__task__project__assignee_id",
    ),
}
SEES = {**STAFF, Job: ("assignee_id", *STAFF[Job])}


def visible(model, user):
    """What the user sees in lists."""
    if is_admin(user):
        return model.objects.all()
    return model.objects.filter(_of(user, *SEES[model]))


def seen(model, user, number):
    """One object: 404 when there is none, 403 when it is not the user's."""
    found = model.objects.filter(id=number).first()
    if found is None:
        raise NotFound(f"No {model.__name__} matches the given query.")
    if not visible(model, user).filter(id=number).exists():
        raise PermissionDenied(DENIED)
    return found


def staff(user, found):
    """Only who owns or is assigned the object or what it is part of; for jobs not its own assignee."""
    model = type(found)
    if not (is_admin(user) or model.objects.filter(_of(user, *STAFF[model]), id=found.id).exists()):
        raise PermissionDenied(DENIED)


def above(user, found):
    """Who may assign or delete it: a project's owner; a task's owner or its project's staff."""
    paths = {Project: ("owner_id",), Task: ("owner_id", *STAFF[Task][2:])}[type(found)]
    if not (is_admin(user) or type(found).objects.filter(_of(user, *paths), id=found.id).exists()):
        raise PermissionDenied(DENIED)

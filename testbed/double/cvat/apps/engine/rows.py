"""What the REST API says of users, projects, tasks, jobs, labels (cvat/apps/engine/serializers.py)."""

from django.db.models import Count, Q

from cvat.apps.engine.models import Job, Label
from cvat.line import has


def _url(request, path):
    return request.build_absolute_uri(f"/api/{path}")


def basic_user(request, user):
    if user is None:
        return None
    return {
        "url": _url(request, f"users/{user.id}"),
        "id": user.id,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
    }


def full_user(request, user):
    return {
        **basic_user(request, user),
        "email": user.email,
        "groups": sorted(user.groups.values_list("name", flat=True)),
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
        "is_active": user.is_active,
        "last_login": user.last_login,
        "date_joined": user.date_joined,
        "has_analytics_access": user.is_superuser,
        **({"created_via": user.created_via} if has("created_via") else {}),
        **({"email_verified": None} if has("email_verified") else {}),
    }


def storage(found):
    return {"id": found.id, "location": found.location, "cloud_storage_id": None} if found else None


def _shared(request, found):
    return {
        "id": found.id,
        "assignee": basic_user(request, found.assignee),
        "assignee_updated_date": found.assignee_updated_date,
        "created_date": found.created_date,
        "updated_date": found.updated_date,
        "status": found.status,
        "guide_id": None,
        "organization": None,
    }


def _owned(request, found):
    return {
        **_shared(request, found),
        "name": found.name,
        "owner": basic_user(request, found.owner),
        "bug_tracker": found.bug_tracker,
        "organization_id": None,
        "source_storage": storage(found.source_storage),
        "target_storage": storage(found.target_storage),
    }


def project(request, found):
    tasks = list(found.tasks.all())
    return {
        **_owned(request, found),
        "url": _url(request, f"projects/{found.id}"),
        "task_subsets": sorted({task.subset for task in tasks if task.subset}),
        "dimension": next((task.dimension for task in tasks if task.dimension), None),
        "tasks": {"count": len(tasks), "url": _url(request, f"tasks?project_id={found.id}")},
        "labels": {"url": _url(request, f"labels?project_id={found.id}")},
    }


def task(request, found):
    return {
        **_owned(request, found),
        **(_media(found) if found.media_type else {}),
        **({"size": found.data.size, "data": found.data_id} if found.data else {"data": None}),
        "url": _url(request, f"tasks/{found.id}"),
        "project_id": found.project_id,
        "project_name": found.project.name if found.project else None,
        "overlap": found.overlap,
        "segment_size": found.segment_size,
        "dimension": found.dimension,
        "mode": found.mode,
        "media_type": found.media_type,
        "subset": found.subset,
        "jobs": _job_counts(request, found),
        "labels": {"url": _url(request, f"labels?task_id={found.id}")},
        "validation_mode": None,
        **({"initial_replicas": found.initial_replicas} if has("replica") else {"consensus_enabled": False}),
    }


def _media(found):
    return {
        "data_chunk_size": found.data.chunk_size,
        "data_compressed_chunk_type": found.data.compressed_chunk_type,
        "data_original_chunk_type": found.data.original_chunk_type,
        "data_cloud_storage_id": None,
        "image_quality": found.data.image_quality,
    }


def _job_counts(request, found):
    counts = Job.objects.filter(segment__task=found).aggregate(
        count=Count("id"),
        completed=Count("id", filter=Q(state="completed", stage="acceptance")),
        validation=Count("id", filter=Q(stage="validation")),
    )
    return {**counts, "url": _url(request, f"jobs?task_id={found.id}")}


def job(request, found):
    parent = found.task
    first, last = found.segment.start_frame, found.segment.stop_frame
    return {
        **_shared(request, found),
        "url": _url(request, f"jobs/{found.id}"),
        "task_id": parent.id,
        "task_name": parent.name,
        "project_id": parent.project_id,
        "project_name": parent.project.name if parent.project else None,
        "dimension": parent.dimension,
        "mode": parent.mode,
        "media_type": parent.media_type,
        "bug_tracker": parent.bug_tracker or (parent.project.bug_tracker if parent.project else None),
        "stage": found.stage,
        "state": found.state,
        "type": found.type,
        "frame_count": last - first + 1,
        "start_frame": first,
        "stop_frame": last,
        "data_chunk_size": parent.data.chunk_size,
        "data_compressed_chunk_type": parent.data.compressed_chunk_type,
        "data_original_chunk_type": parent.data.original_chunk_type,
        "issues": {"count": 0, "url": _url(request, f"issues?job_id={found.id}")},
        "labels": {"url": _url(request, f"labels?job_id={found.id}")},
        "source_storage": storage(parent.source_storage),
        "target_storage": storage(parent.target_storage),
        "parent_job_id": None,
        **({} if has("replica") else {"consensus_replicas": 0}),
        "replicas_count": 0,
    }


def label(_, found):
    parent = {"project_id": found.project_id} if found.project_id else {"task_id": found.task_id}
    return {
        **_sublabel(found),
        "sublabels": [_sublabel(point) for point in found.sublabels.order_by("id")],
        "parent_id": found.parent_id,
        **({"svg": found.skeleton.svg} if found.type == "skeleton" else {}),
        **parent,
    }


def _sublabel(found):
    """As in CVAT, attributes come as the database has them: a changed one is no longer where it was."""
    return {
        "id": found.id,
        "name": found.name,
        "color": found.color,
        "type": found.type,
        "attributes": [attribute(spec) for spec in found.attributespec_set.all()],
        "has_parent": bool(found.parent_id),
    }


def attribute(spec):
    return {
        "id": spec.id,
        "name": spec.name,
        "mutable": spec.mutable,
        "input_type": spec.input_type,
        "default_value": spec.default_value,
        "values": spec.values.split("\n"),
    }


def labels_of(found):
    """The labels of a project, a task or a job: a project's are those of its tasks."""
    if isinstance(found, Job):
        found = found.task
    if getattr(found, "project", None):
        found = found.project
    wanted = {type(found).__name__.lower(): found}
    return Label.objects.filter(**wanted, parent=None).order_by("id")

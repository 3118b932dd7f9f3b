"""Background requests: their ids, their queues, what /api/requests says of them (cvat/apps/redis_handler)."""

from datetime import timedelta
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import Http404
from redis import Redis
from rest_framework.exceptions import PermissionDenied
from rq import Queue, Retry
from rq.exceptions import NoSuchJobError
from rq.job import Job

from cvat.apps.engine.access import DENIED
from cvat.line import has

STATES = {"queued": "queued", "deferred": "queued", "scheduled": "queued", "started": "started"}
KEEP = timedelta(days=1)


def store():
    return Redis.from_url(settings.RQ_URL)


def queue(name):
    return Queue(name, connection=store())


def name_of(**parts):
    """``action=create&target=task&target_id=1``; dots and spaces stand as ~ and _."""
    return "&".join(f"{key}={_plain(value)}" for key, value in parts.items())


def _plain(value):
    return str(value).replace(".", "~").replace(" ", "_")


def start(name, request_id, function, *arguments, user, meta, **keywords):
    """Enqueue, unless the same request is under way."""
    found = find(request_id)
    if found and found.get_status() in STATES:
        return request_id
    queue(name).enqueue(
        function,
        args=arguments,
        kwargs=keywords,
        job_id=request_id,
        meta={"user": {"id": user.id, "username": user.username}, **meta},
        result_ttl=int(KEEP.total_seconds()),
        failure_ttl=int(KEEP.total_seconds()),
        job_timeout="4h",
        retry=Retry(3, settings.EXPORT_RETRY_SECONDS) if name == "export" and has("retries") else None,
    )
    return request_id


def find(request_id):
    try:
        return Job.fetch(request_id, connection=store())
    except NoSuchJobError:
        return None


def owned(user, request_id):
    found = find(request_id)
    if found is None:
        raise Http404
    if found.meta["user"]["id"] != user.id:
        raise PermissionDenied(DENIED)
    return found


def of(user):
    """The user's requests, newest first."""
    registries = [
        names
        for name in ("import", "export")
        for names in (
            queue(name),
            queue(name).started_job_registry,
            queue(name).finished_job_registry,
            queue(name).failed_job_registry,
        )
    ]
    ids = {one for registry in registries for one in registry.get_job_ids()}
    found = [job for job in Job.fetch_many(ids, connection=store()) if job]
    mine = (job for job in found if job.meta["user"]["id"] == user.id)
    return sorted(mine, key=lambda job: job.created_at, reverse=True)


def row(found):
    parts = dict(parse_qsl(found.id))
    status = STATES.get(found.get_status(), found.get_status())
    ended = found.ended_at
    return {
        "id": found.id,
        "status": status,
        "message": _reason(found) if status == "failed" else "",
        "operation": {
            "type": f"{parts['action']}:{parts.get('subresource', parts['target'])}",
            "target": parts["target"],
            "project_id": found.meta.get("project_id"),
            "task_id": found.meta.get("task_id"),
            "job_id": found.meta.get("job_id"),
            "org_id": None,
            "format": parts["format"].replace("~", ".").replace("_", " ") if "format" in parts else None,
            "lightweight": None,
        },
        "progress": 0.0,
        "created_date": found.created_at,
        "started_date": found.started_at,
        "finished_date": ended,
        "expiry_date": ended + KEEP if ended else None,
        "owner": found.meta["user"],
        "result_url": found.meta.get("result_url") if status == "finished" else None,
        "result_id": None,
    }


def _reason(found):
    """The last line of what the worker saw, without the module of the exception."""
    latest = found.latest_result()
    lines = ((latest and latest.exc_string) or "Unknown error").strip().splitlines()
    kind, _, text = lines[-1].partition(": ")
    return f"{kind.rsplit('.', 1)[-1]}: {text}" if text else lines[-1]

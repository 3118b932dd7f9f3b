"""Annotators: their accounts, groups and jobs, by the labels file. No account is ever deleted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from labelspace_ops.core.errors import UsageError
from labelspace_ops.core.models import JsonModel
from labelspace_ops.cvat.client import CvatClient, find_project
from labelspace_ops.cvat.models import User
from labelspace_ops.labels.model import Annotator, LabelsFile

GROUPS = {"user", "worker"}


class AppliedAnnotator(JsonModel):
    """What `labelspace annotators apply` did for one annotator of the labels file."""

    email: str
    username: str | None
    signed_up: bool
    group: str
    group_set: bool = False
    new_jobs: int = 0
    notes: list[str]
    invitation: str = ""


class AnnotatorRow(JsonModel):
    """Somebody in the labels file or with an account, and the number of their jobs."""

    email: str
    username: str | None
    group: str
    in_file: bool
    signed_up: bool
    jobs: int
    completed: int


def find_user(name: str, users: Sequence[User]) -> User | None:
    """Return the account with that e-mail address or user name, in any case."""
    return next((one for one in users if name.lower() in (one.email.lower(), one.username.lower())), None)


def require_users(names: list[str], users: Sequence[User]) -> list[User]:
    """Return the accounts of these; raises ``UsageError`` that lists who has none."""
    found = {name: find_user(name, users) for name in names}
    missing = [name for name, user in found.items() if user is None]
    if missing:
        raise UsageError(
            f"assign: {', '.join(missing)} has no account yet: let them sign up (registration=closed: make"
            " one at /admin), or leave them out"
        )
    return [user for user in found.values() if user is not None]


def share_jobs(cvat: CvatClient, task: int, users: Sequence[User]) -> Counter[str]:
    """Assign each job of the task that nobody has to the user who has fewest jobs of it.

    Returns the number of new jobs by user name.
    """
    jobs = sorted(cvat.jobs(task_id=task), key=lambda job: job.id) if users else []
    has = Counter(job.assignee.username for job in jobs if job.assignee)
    new: Counter[str] = Counter()
    for job in jobs:
        if job.assignee is None:
            user = min(users, key=lambda one: has[one.username] + new[one.username])
            cvat.patch(f"/jobs/{job.id}", {"assignee": user.id})
            new[user.username] += 1
    return new


def apply(cvat: CvatClient, file: LabelsFile) -> list[AppliedAnnotator]:
    """Set groups and assign jobs by the labels file; returns a row for each annotator of the file."""
    users = cvat.users()
    rows = [_apply_group(cvat, one, find_user(one.email, users)) for one in file.annotators]
    for project, task in dict.fromkeys(_tasks(file)):
        assigned = [
            row for row, one in zip(rows, file.annotators, strict=True) if task in one.tasks.get(project, ())
        ]
        number = find_task(cvat, project, task)
        if number is None:
            for row in assigned:
                row.notes.append(
                    f"{project}: {task}: no such task yet: create it in CVAT, or by `labelspace task create"
                    f" NAME --project {project} --name {task} --from BUCKET`"
                )
        else:
            new = share_jobs(
                cvat, number, [user for row in assigned if (user := find_user(row.email, users))]
            )
            for row in assigned:
                row.new_jobs += new[row.username or ""]
    return rows


def _apply_group(cvat: CvatClient, annotator: Annotator, user: User | None) -> AppliedAnnotator:
    return AppliedAnnotator(
        email=annotator.email,
        username=user.username if user else None,
        signed_up=user is not None,
        group=annotator.group,
        group_set=user is not None and _set_group(cvat, user, annotator.group),
        notes=[],
    )


def _set_group(cvat: CvatClient, user: User, group: str) -> bool:
    """Return whether the group was changed; the groups of an admin are not changed."""
    present = set(user.groups)
    if user.is_superuser or present & GROUPS == {group}:
        return False
    cvat.patch(f"/users/{user.id}", {"groups": sorted((present - GROUPS) | {group})})
    return True


def _tasks(file: LabelsFile) -> list[tuple[str, str]]:
    return [
        (project, task)
        for one in file.annotators
        for project, tasks in one.tasks.items()
        for task in tasks
    ]  # fmt: skip


def find_task(cvat: CvatClient, project: str, name: str) -> int | None:
    """Return the id of a task, the oldest of several with that name; None when there is none."""
    found = find_project(cvat, project)
    tasks = cvat.tasks(found.id, name=name) if found else []
    return min((task.id for task in tasks if task.name == name), default=None)


def list_annotators(cvat: CvatClient, file: LabelsFile) -> list[AnnotatorRow]:
    """Return everybody in the labels file or with an account, with their jobs."""
    users = cvat.users()
    jobs = [(job.assignee.username, job.state) for job in cvat.jobs() if job.assignee]
    total = Counter(username for username, _ in jobs)
    completed = Counter(username for username, state in jobs if state == "completed")
    in_file = [(one.email, one.group, find_user(one.email, users)) for one in file.annotators]
    listed = {user.id for _, _, user in in_file if user}
    others = [(user.email, user.role, user) for user in users if user.id not in listed]
    emails = {email for email, _, _ in in_file}
    return [
        AnnotatorRow(
            email=email,
            username=user.username if user else None,
            group=user.role if user else group,
            in_file=email in emails,
            signed_up=user is not None,
            jobs=total[user.username] if user else 0,
            completed=completed[user.username] if user else 0,
        )
        for email, group, user in [*in_file, *others]
    ]


def invitation(email: str, outputs: Mapping[str, Any]) -> str:
    """Return a text to send to somebody without an account; ``outputs``: those of the workspace's stack.

    Where registration is closed, the text begins with what the admin does first.
    """
    url, description = outputs["url"], outputs["description"]
    about = f" ({description})" if description else ""
    if json.loads(outputs["settings"])["registration"] == "closed":
        return (
            f"First make an account at {url}/admin/auth/user/add/: a user name of five characters or more,"
            f" a password, and in the next form this e-mail address ({email}). Then send:\n\n"
            f"To: {email}\n"
            f"Subject: Annotating at {url}\n\n"
            f"You have an account at {url}{about}: user name USERNAME, password PASSWORD.\n"
            "Please change the password after you signed in.\n"
            "Your jobs appear there under Jobs as soon as they are assigned to you.\n"
        )
    return (
        f"To: {email}\n"
        f"Subject: Annotating at {url}\n\n"
        f"Please make an account at {url}/auth/register{about}, with this e-mail address ({email})"
        " and a user name of five characters or more.\n"
        "Your jobs appear there under Jobs as soon as they are assigned to you.\n"
    )

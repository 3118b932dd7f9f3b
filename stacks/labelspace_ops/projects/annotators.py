"""Annotators: who of the file signed up, in which group, with which jobs. Nobody is ever deleted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from labelspace_ops.core.errors import UsageError
from labelspace_ops.cvat.client import CvatClient, find_project
from labelspace_ops.labels.model import Annotator, LabelsFile

GROUPS = {"user", "worker"}
User = dict[str, Any]


def list_users(cvat: CvatClient) -> list[User]:
    """Everybody with an account, as the admin sees them."""
    return list(cvat.list_all("/users"))


def find_user(who: str, known: list[User]) -> User | None:
    """The account of that e-mail address or user name."""
    wanted = who.lower()
    return next((one for one in known if wanted in (one["email"].lower(), one["username"].lower())), None)


def require_users(who: list[str], known: list[User]) -> list[User]:
    """The accounts of these; raises ``UsageError`` that names who has none."""
    found = [find_user(one, known) for one in who]
    missing = [one for one, user in zip(who, found, strict=True) if user is None]
    if missing:
        raise UsageError(f"assign: {', '.join(missing)} did not sign up yet: ask them to, or leave them out")
    return [user for user in found if user is not None]


def share_jobs(cvat: CvatClient, task: int, among: list[User]) -> Counter[str]:
    """Give the task's jobs that are nobody's to ``among``, who has fewest first; a job that is taken stays.

    Returns the number of new jobs by user name.
    """
    jobs = sorted(cvat.list_all("/jobs", task_id=task), key=lambda job: job["id"])
    has = Counter(job["assignee"]["username"] for job in jobs if job["assignee"])
    given: Counter[str] = Counter()
    for job in jobs if among else ():
        if job["assignee"] is None:
            user = min(among, key=lambda one: has[one["username"]])
            cvat.patch(f"/jobs/{job['id']}", {"assignee": user["id"]})
            has[user["username"]] += 1
            given[user["username"]] += 1
    return given


def apply(cvat: CvatClient, file: LabelsFile) -> list[dict[str, Any]]:
    """Set groups and share jobs as the file says; a row for each annotator of it."""
    known = list_users(cvat)
    rows = [_row(one, find_user(one.email, known)) for one in file.annotators]
    for row, wish in zip(rows, file.annotators, strict=True):
        user = find_user(wish.email, known)
        if user is not None:
            row["group_set"] = _set_group(cvat, user, wish.group)
    for project, task in dict.fromkeys(_tasks(file)):
        getting = [
            row for row, one in zip(rows, file.annotators, strict=True) if task in one.tasks.get(project, ())
        ]
        _share(cvat, task_number(cvat, project, task), f"{project}: {task}", getting, known)
    return rows


def _row(wish: Annotator, user: User | None) -> dict[str, Any]:
    return {
        "email": wish.email,
        "username": user["username"] if user else None,
        "signed_up": user is not None,
        "group": wish.group,
        "group_set": False,
        "new_jobs": 0,
        "notes": [],
    }


def _set_group(cvat: CvatClient, user: User, group: str) -> bool:
    """Whether it was changed; an admin's rights are not touched."""
    has = set(user["groups"])
    if user["is_superuser"] or has & GROUPS == {group}:
        return False
    cvat.patch(f"/users/{user['id']}", {"groups": sorted((has - GROUPS) | {group})})
    return True


def _tasks(file: LabelsFile) -> list[tuple[str, str]]:
    return [
        (project, task)
        for one in file.annotators
        for project, tasks in one.tasks.items()
        for task in tasks
    ]  # fmt: skip


def _share(
    cvat: CvatClient, number: int | None, what: str, getting: list[dict[str, Any]], known: list[User]
) -> None:
    """The jobs of a task among those who get it and signed up."""
    if number is None:
        for row in getting:
            row["notes"].append(f"{what}: no such task yet: `labelspace task create` makes it")
        return
    there = [user for row in getting if (user := find_user(row["email"], known))]
    given = share_jobs(cvat, number, there)
    for row in getting:
        row["new_jobs"] += given[row["username"]] if row["username"] else 0


def task_number(cvat: CvatClient, project: str, task: str) -> int | None:
    """CVAT's number of a task, None when it is not there; of several with the name the oldest."""
    found = find_project(cvat, project)
    if found is None:
        return None
    rows = cvat.list_all("/tasks", project_id=found["id"], name=task)
    return min((row["id"] for row in rows if row["name"] == task), default=None)


def list_annotators(cvat: CvatClient, file: LabelsFile) -> list[dict[str, Any]]:
    """Everybody of the file or with an account, with the jobs that they have and have completed."""
    known = list_users(cvat)
    jobs = [job for job in cvat.list_all("/jobs") if job["assignee"]]
    has = Counter(job["assignee"]["username"] for job in jobs)
    done = Counter(job["assignee"]["username"] for job in jobs if job["state"] == "completed")
    asked = [(one.email, one.group, find_user(one.email, known)) for one in file.annotators]
    taken = [user["id"] for _, _, user in asked if user]
    others = [(user["email"], _group(user), user) for user in known if user["id"] not in taken]
    return [
        {
            "email": email,
            "username": user["username"] if user else None,
            "group": _group(user) if user else group,
            "in_file": email in [one.email for one in file.annotators],
            "signed_up": user is not None,
            "jobs": has[user["username"]] if user else 0,
            "completed": done[user["username"]] if user else 0,
        }
        for email, group, user in [*asked, *others]
    ]


def _group(user: User) -> str:
    return "admin" if user["is_superuser"] else ", ".join(user["groups"])


def invitation(email: str, url: str, description: str) -> str:
    """A text to send to somebody who has not signed up."""
    what = f" ({description})" if description else ""
    return (
        f"To: {email}\n"
        f"Subject: Annotating at {url}\n\n"
        f"Please make an account at {url}/auth/register{what}, with this e-mail address ({email}).\n"
        "Your jobs appear there under Jobs as soon as they are assigned to you.\n"
    )

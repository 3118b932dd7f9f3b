"""The resource ``CvatProject``: a project's labels in Pulumi's plan, state and refresh like everything else.

A dynamic resource: its provider is this module, found by name in a process that Pulumi starts, so nothing of
it is copied into the state but its name. It never deletes: a project that leaves the file stays in CVAT.
"""

from __future__ import annotations

import sys
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pulumi.runtime.rpc import UNKNOWN

from labelspace_ops.core.errors import OpsError
from labelspace_ops.cvat.client import CvatClient, RefusedError, UnreachableError, find_project
from labelspace_ops.labels import normalized, plan, project

COMPARED = ("labels", "project", "url", "username", "password")
Values = dict[str, Any]


class Provider(ResourceProvider):
    """What Pulumi asks, answered by CVAT; ``props`` are the inputs of ``CvatProject`` and ``number``."""

    def configure(self, _req: ConfigureRequest) -> None:
        """Pulumi shows an error with its traceback: a sentence is enough."""
        sys.tracebacklimit = 0

    def check(self, _olds: Values, news: Values) -> CheckResult:
        """Refuse, in a preview already, what would lose annotations.

        A server at rest is not asked, nor one that this very update gives another password.
        """
        try:
            refused = _refused(news) if _can_be_asked(news) else []
        except (UnreachableError, RefusedError):
            refused = []
        except OpsError as error:
            return CheckResult(news, [CheckFailure("project", str(error))])
        return CheckResult(news, [CheckFailure("labels", project.refusal(refused))] if refused else [])

    def diff(self, _id: str, olds: Values, news: Values) -> DiffResult:
        """Nothing changes while the workspace is stopped: it is made up for when it runs."""
        changed = any(olds.get(key) != news.get(key) for key in COMPARED)
        return DiffResult(changes=bool(news["running"]) and changed)

    def create(self, props: Values) -> CreateResult:
        """Make the project, or take over the one of that name; later, when the workspace is stopped."""
        if not props["running"]:
            return CreateResult(props["project"], {**props, "number": 0, "labels": {}})
        return CreateResult(props["project"], _brought(props))

    def update(self, _id: str, _olds: Values, news: Values) -> UpdateResult:
        """Bring the project to its labels."""
        return UpdateResult(_brought(news))

    def read(self, id_: str, props: Values) -> ReadResult:
        """What CVAT has now; as it was known, when CVAT does not answer."""
        try:
            return _measured(id_, props)
        except OpsError as error:
            pulumi.log.debug(str(error))
            return ReadResult(id_, props)


def _can_be_asked(props: Values) -> bool:
    return bool(props["running"]) and UNKNOWN not in (props["url"], props["password"])


def _cvat(props: Values, *, look: bool) -> CvatClient:
    return CvatClient(props["url"], props["username"], props["password"], look=look)


def _refused(props: Values) -> list[plan.Step]:
    cvat = _cvat(props, look=True)
    found = find_project(cvat, props["project"])
    if found is None:
        return []
    rows = project.label_rows(cvat, found["id"])
    todo = plan.make_plan(normalized.current(rows), props["labels"], props["renamed"])
    return project.unconfirmed_losses(cvat, found["id"], todo, props["allow_delete"], rows)


def _brought(props: Values) -> Values:
    cvat = _cvat(props, look=False)
    wish = normalized.ordered(props["labels"], props["order"])
    found = find_project(cvat, props["project"])
    if found is None:
        return {**props, "number": project.create(cvat, props["project"], wish)}
    project.apply(cvat, found["id"], wish, props["renamed"], props["allow_delete"])
    return {**props, "number": found["id"]}


def _measured(id_: str, props: Values) -> ReadResult:
    cvat = _cvat(props, look=True)
    number = int(props["number"])
    found = cvat.find(f"/projects/{number}") if number else None
    if number and found is None:
        return ReadResult("", {})
    if found is None:
        return ReadResult(id_, props)
    labels = normalized.with_defaults_of(
        normalized.current(project.label_rows(cvat, number)), props["labels"]
    )
    now = {**props, "project": found["name"], "labels": labels}
    return ReadResult(id_, now, {key: value for key, value in now.items() if key != "number"})


class CvatProject(Resource, module="labelspace", name="CvatProject"):
    """A project of CVAT with its labels (``shape.wished``).

    ``number`` is CVAT's own id of it, 0 while it waits for a stopped workspace to run.
    """

    number: pulumi.Output[int]

    def __init__(
        self,
        name: str,
        *,
        project: pulumi.Input[str],
        labels: normalized.Labels,
        url: pulumi.Input[str],
        username: pulumi.Input[str],
        password: pulumi.Input[str],
        renamed: dict[str, str] | None = None,
        allow_delete: tuple[str, ...] = (),
        running: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["password"])
        props = {
            "project": project,
            "labels": labels,
            "order": normalized.order(labels),
            "renamed": renamed or {},
            "allow_delete": list(allow_delete),
            "url": url,
            "username": username,
            "password": pulumi.Output.secret(password),
            "running": running,
            "number": None,
        }
        super().__init__(Provider(), name, props, pulumi.ResourceOptions.merge(opts, secret))

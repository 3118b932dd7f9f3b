"""The Pulumi resource ``CvatProject``: a project's labels in the plan, the state and in refresh.

A dynamic resource: Pulumi starts a process that finds this module, the provider, by its name; the state holds
only that name. It never deletes: a project that leaves the file stays in CVAT.
"""

from __future__ import annotations

import sys
from typing import Any

import pulumi
from pulumi import contains_unknowns
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

from labelspace_ops.core.errors import OpsError
from labelspace_ops.cvat.client import CvatClient, RefusedError, UnreachableError, find_project
from labelspace_ops.labels import normalized, plan, project

COMPARED = ("labels", "project", "url", "username", "password")
CONNECTION = ("url", "username", "password")
Values = dict[str, Any]
"""Inputs and outputs of the resource, as Pulumi passes them."""


class Provider(ResourceProvider):
    """Answers Pulumi from CVAT; ``props`` are the inputs of ``CvatProject``, and ``number``."""

    def configure(self, _req: ConfigureRequest) -> None:
        """Pulumi prints an error with its traceback: only the sentence is of use."""
        sys.tracebacklimit = 0

    def check(self, _olds: Values, news: Values) -> CheckResult:
        """Refuse what would lose annotations, already in a preview.

        A server that does not answer is not asked, nor one whose password this update changes.
        """
        try:
            refused = _unconfirmed_losses(news) if _can_ask(news) else []
        except (UnreachableError, RefusedError):
            refused = []
        except OpsError as error:
            return CheckResult(news, [CheckFailure("project", str(error))])
        return CheckResult(news, [CheckFailure("labels", project.refusal(refused))] if refused else [])

    def diff(self, _id: str, olds: Values, news: Values) -> DiffResult:
        """Report no change while the workspace is stopped; the update after its start makes it."""
        changed = any(olds.get(key) != news.get(key) for key in COMPARED)
        return DiffResult(changes=bool(news["running"]) and changed)

    def create(self, props: Values) -> CreateResult:
        """Create the project, or use the existing one of that name; later when the workspace is stopped."""
        if not props["running"]:
            return CreateResult(props["project"], {**props, "number": 0, "labels": {}})
        return CreateResult(props["project"], _apply(props))

    def update(self, _id: str, _olds: Values, news: Values) -> UpdateResult:
        """Bring the project to its labels."""
        return UpdateResult(_apply(news))

    def read(self, id_: str, props: Values) -> ReadResult:
        """Return what CVAT has now, or the known values when CVAT does not answer."""
        try:
            return _read(id_, props)
        except OpsError as error:
            pulumi.log.debug(str(error))
            return ReadResult(id_, props)


def _can_ask(props: Values) -> bool:
    return bool(props["running"]) and not contains_unknowns([props[key] for key in CONNECTION])


def _client(props: Values, *, probe: bool) -> CvatClient:
    return CvatClient(props["url"], props["username"], props["password"], probe=probe)


def _unconfirmed_losses(props: Values) -> list[plan.Step]:
    cvat = _client(props, probe=True)
    found = find_project(cvat, props["project"])
    if found is None:
        return []
    rows = cvat.labels(found.id)
    steps = plan.make_plan(normalized.current(rows), props["labels"], props["renamed"])
    return project.unconfirmed_losses(cvat, found.id, steps, props["allow_delete"], rows)


def _apply(props: Values) -> Values:
    cvat = _client(props, probe=False)
    target = normalized.ordered(props["labels"], props["order"])
    found = find_project(cvat, props["project"])
    if found is None:
        return {**props, "number": project.create(cvat, props["project"], target)}
    project.apply(cvat, found.id, target, props["renamed"], props["allow_delete"])
    return {**props, "number": found.id}


def _read(id_: str, props: Values) -> ReadResult:
    number = int(props["number"])
    if not number:
        return ReadResult(id_, props)
    cvat = _client(props, probe=True)
    found = cvat.find_project(number)
    if found is None:
        return ReadResult("", {})
    labels = normalized.with_defaults_of(normalized.current(cvat.labels(number)), props["labels"])
    now = {**props, "project": found.name, "labels": labels}
    return ReadResult(id_, now, {key: value for key, value in now.items() if key != "number"})


class CvatProject(Resource, module="labelspace", name="CvatProject"):
    """A project of CVAT with its labels (``normalized.desired``).

    ``number`` is the project's id in CVAT; 0 until the workspace runs for the first time.
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

"""The public component ``Annotators``: groups and jobs of a workspace's annotators, for any Pulumi program.

A dynamic resource, as ``CvatProject`` is: Pulumi starts a process that finds the provider by its module.
"""

from __future__ import annotations

import sys
from typing import Any, Unpack

import pulumi
from pulumi import contains_unknowns
from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from labelspace_ops.core.errors import OpsError
from labelspace_ops.cvat.client import CvatClient
from labelspace_ops.labels.args import AnnotatorsArgs
from labelspace_ops.labels.cvat_project import CONNECTION
from labelspace_ops.labels.label_schema import separate, validated
from labelspace_ops.labels.model import LabelsFile
from labelspace_ops.projects import annotators

COMPARED = ("annotators", "url", "username", "password")
Values = dict[str, Any]
"""Inputs and outputs of the resource, as Pulumi passes them."""


class Provider(ResourceProvider):
    """Answers Pulumi from CVAT; ``props`` are the inputs of ``CvatAnnotators``."""

    def configure(self, _req: ConfigureRequest) -> None:
        """Pulumi prints an error with its traceback: only the sentence is of use."""
        sys.tracebacklimit = 0

    def diff(self, _id: str, olds: Values, news: Values) -> DiffResult:
        """Report a change when the arguments changed, or when somebody signed up or a job has nobody."""
        if not news["running"]:
            return DiffResult(changes=False)
        changed = any(olds.get(key) != news.get(key) for key in COMPARED)
        return DiffResult(changes=changed or _has_new_work(olds, news))

    def create(self, props: Values) -> CreateResult:
        """Set groups and assign jobs; later when the workspace is stopped."""
        return CreateResult("annotators", _apply(props))

    def update(self, _id: str, _olds: Values, news: Values) -> UpdateResult:
        """Set groups and assign jobs."""
        return UpdateResult(_apply(news))


def _has_new_work(olds: Values, news: Values) -> bool:
    if contains_unknowns([news[key] for key in CONNECTION]):
        return False
    try:
        cvat = CvatClient(news["url"], news["username"], news["password"], probe=True)
        return annotators.has_work(cvat, _file(news), set(olds.get("signed_up") or ()))
    except OpsError as error:
        pulumi.log.debug(str(error))
        return False


def _apply(props: Values) -> Values:
    if not props["running"]:
        return {**props, "signed_up": [], "missing": [one.email for one in _file(props).annotators]}
    cvat = CvatClient(props["url"], props["username"], props["password"], probe=False)
    rows = annotators.apply(cvat, _file(props))
    for row in rows:
        for note in row.notes:
            pulumi.log.warn(f"{row.email}: {note}")
    return {
        **props,
        "signed_up": [row.email for row in rows if row.signed_up],
        "missing": [row.email for row in rows if not row.signed_up],
    }


def _file(props: Values) -> LabelsFile:
    return LabelsFile.model_validate({"annotators": props["annotators"]})


class CvatAnnotators(Resource, module="labelspace", name="CvatAnnotators"):
    """Groups and jobs of annotators who signed up."""

    signed_up: pulumi.Output[list[str]]
    missing: pulumi.Output[list[str]]

    def __init__(self, name: str, props: Values, opts: pulumi.ResourceOptions) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["password"])
        values = {**props, "signed_up": None, "missing": None}
        super().__init__(Provider(), name, values, pulumi.ResourceOptions.merge(opts, secret))


class Annotators(pulumi.ComponentResource):
    """Groups of a workspace's annotators, and their jobs in its tasks.

    Each update sets the groups of those who signed up and shares the jobs that nobody has; no account is made
    or deleted. Raises ``SpecError`` with a sentence for each refused value.
    """

    signed_up: pulumi.Output[list[str]]
    """Addresses of the annotators who have an account."""
    missing: pulumi.Output[list[str]]
    """Addresses of those who have none yet; all, if the workspace was created stopped."""

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **args: Unpack[AnnotatorsArgs],
    ) -> None:
        """Declare the annotators: each key of ``AnnotatorsArgs`` is a keyword."""
        values, workspace = separate(args)
        people = validated(LabelsFile, values).model_dump(mode="json")["annotators"]
        super().__init__("labelspace:index:Annotators", resource_name, {"annotators": people}, opts)
        made = CvatAnnotators(
            resource_name,
            {
                "annotators": people,
                "url": workspace.api_url,
                "username": workspace.admin_username,
                "password": pulumi.Output.secret(workspace.admin_password),
                "running": workspace.running,
            },
            pulumi.ResourceOptions(parent=self, depends_on=[workspace]),
        )
        self.signed_up, self.missing = made.signed_up, made.missing
        self.register_outputs({"signed_up": self.signed_up, "missing": self.missing})

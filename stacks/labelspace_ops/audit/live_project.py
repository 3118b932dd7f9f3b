"""Audits a project of a running workspace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from labelspace.home import Home
from labelspace_ops.audit import findings
from labelspace_ops.audit.dataset import Job
from labelspace_ops.audit.predictions import Options
from labelspace_ops.core.reporting import message
from labelspace_ops.cvat import client as cvat_client
from labelspace_ops.labels import labels_file
from labelspace_ops.labels.audit_choices import Choices
from labelspace_ops.projects import exports, subsets, tasks, training_export


class LiveProject:
    """A project of a workspace; raises ``OpsError`` when it does not exist."""

    def __init__(self, workspace: str, project: str) -> None:
        self._known = labels_file.load(workspace).project(project)
        self._cvat = cvat_client.connect(workspace, Home.find())
        self._number = cvat_client.require_project(self._cvat, project).id

    def audit(
        self, choices: Choices, predictions: Path | None, options: Options | None = None
    ) -> findings.Audit:
        """Audit the project. The kinds of attributes come from the labels file if the user named none.

        Subsets that an earlier audit wrote are copies, so they are left out.
        """
        copies = subsets.list_subsets(self._cvat, self._number)
        with exports.exported_file(self._cvat, self._number) as export:
            if copies:
                originals = export.with_name("originals.zip")
                training_export.clean(
                    export, originals, training_export.LeaveOut(labels=frozenset(), subsets=copies)
                )
                export = originals  # noqa: PLW2901 - what is audited
            one_namespace = tasks.have_one_namespace(self._cvat, self._number)
            return findings.audit_file(
                export,
                self._marked(choices),
                predictions,
                options,
                one_namespace=one_namespace,
                jobs=self._jobs(),
            )

    def _jobs(self) -> tuple[Job, ...]:
        """The jobs with their assignees; an export names only the assignee of each task."""
        names = {task["id"]: task["name"] for task in self._cvat.list_all("/tasks", project_id=self._number)}
        return tuple(
            Job(
                str(job["id"]), str(job["task_id"]), names.get(job["task_id"], ""), job["start_frame"],
                job["stop_frame"], (job["assignee"] or {}).get("username", ""),
            )
            for job in self._cvat.list_all("/jobs", project_id=self._number)
            if job.get("type", "annotation") == "annotation"
        )  # fmt: skip

    def _marked(self, choices: Choices) -> Choices:
        if self._known is None or choices.condition or choices.protected:
            return choices
        return replace(
            choices, condition=self._known.marked("condition"), protected=self._known.marked("protected")
        )

    def write_subset(self, subset: str, files: list[str]) -> None:
        """Write images of the project as a CVAT subset."""
        done = subsets.write(self._cvat, self._number, subset, files)
        what = f"{done.images} images and {done.annotations} annotations"
        message(f"subset {subset}: task {done.task} with {what}")
        if done.left_out:
            message(
                f"subset {subset}: {done.left_out} outlines of tracks are not copied: they change between"
                " two keyframes, where only CVAT can tell their points: draw them there"
            )

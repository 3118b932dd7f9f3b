"""Annotates every task of a project with the true labels, in place of the annotators of docs/labels.md.

python examples/labels/annotate.py WORKSPACE PROJECT TRUTH.csv
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

from labelspace.home import Home
from labelspace_ops.cvat import client as cvat_client
from labelspace_ops.cvat.models import Label

AUDIT = "audit"


def annotate(workspace: str, project: str, truth: Path) -> int:
    """Annotate by the end of each frame's name; returns the number of images."""
    with truth.open(newline="") as file:
        known = {row["file"]: row for row in csv.DictReader(file)}
    client = cvat_client.connect(workspace, Home.find())
    number = cvat_client.require_project(client, project).id
    labels = {label.name: label for label in client.labels(number)}
    count = 0
    for task in client.tasks(number):
        frames = client.frame_names(task.id)
        said: dict[str, Any] = {"version": 0, "tags": [], "shapes": [], "tracks": []}
        for frame, name in enumerate(frames):
            row = known[name.split("/", 1)[1]]
            _one(said, frame, labels, row["label"], row["value"])
        client.patch(f"/tasks/{task.id}/annotations", said, action="create")
        count += len(frames)
    return count


def _one(said: dict[str, Any], frame: int, labels: dict[str, Label], label: str, value: str) -> None:
    """Add a tag and an audit tag, or an object with the audit attribute."""
    bearer = labels[AUDIT] if AUDIT in labels else labels[label]
    extra = [{"spec_id": bearer.attributes[0].id, "value": value}]
    if AUDIT in labels:
        said["tags"].append({"frame": frame, "label_id": labels[label].id, "attributes": []})
        said["tags"].append({"frame": frame, "label_id": bearer.id, "attributes": extra})
    else:
        box = {"type": "rectangle", "points": [4, 4, 28, 20]}
        said["shapes"].append({"frame": frame, "label_id": bearer.id, "attributes": extra, **box})


if __name__ == "__main__":
    done = annotate(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    sys.stdout.write(f"{done} images annotated\n")

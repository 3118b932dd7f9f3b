"""A database of the shape that CVAT makes, with a million shapes, in the run's shared workspace."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import httpx
from PIL import Image

from bench.workspace import ADMIN, PASSWORD, Bench, Made, outputs
from labelspace.cvat.names import DATABASE_NAME, DATABASE_USER
from labelspace_ops.cvat.sleep import PATIENCE_SECONDS
from labelspace_ops.storage import buckets

SHAPES = 1_000_000
NUMBERS = 16
"""Coordinates of a polygon."""
ASK = ("psql", "-q", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", DATABASE_USER)


@dataclass(frozen=True)
class Million:
    """A workspace with the shapes in one job."""

    made: Made
    job: int
    label: int

    @property
    def container(self) -> str:
        """The database's."""
        return f"labelspace-{self.made.name}-database"

    def ask(self, sql: str, database: str = DATABASE_NAME) -> str:
        """psql's answer, as the database's owner."""
        return inside(self.container, *ASK, "-d", database, "-c", sql).strip()

    def insert(self, count: str) -> str:
        """SQL for shapes as CVAT stores them; ``count`` is a number or psql's variable."""
        return (
            "insert into engine_labeledshape"
            ' (job_id, label_id, "group", source, frame, type, occluded, outside, z_order, points, rotation,'
            " score)"
            f" select {self.job}, {self.label}, 0, 'manual', g % 1000, 'polygon', false, false, 0,"
            " array_to_string(array(select round((random() * 1000 + 0 * g)::numeric, 2)"
            f" from generate_series(1, {NUMBERS})), ','), 0, 1 from generate_series(1, {count}) g"
        )


def inside(container: str, *command: str, stdin: str = "") -> str:
    """Run ``command`` in a container; raises ``RuntimeError`` with its last words."""
    words = ["docker", "exec", "--interactive", container, *command]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()[-400:]}")
    return done.stdout


def timed(container: str, *command: str) -> float:
    """Seconds of a command in a container that succeeds."""
    began = time.monotonic()
    inside(container, *command)
    return time.monotonic() - began


@lru_cache(maxsize=1)
def million(bench: Bench) -> Million:
    """Filled once a run: a task made through the API, its shapes by SQL."""
    made = bench.workspace
    job, label = task(made)
    filled = Million(made, job, label)
    filled.ask(filled.insert(str(SHAPES)))
    filled.ask("analyze")
    return filled


@contextmanager
def admin(made: Made) -> Iterator[httpx.Client]:
    """CVAT's API, as the admin."""
    with httpx.Client(base_url=made.status["api_url"], timeout=60) as http:
        http.post("/api/auth/login", json={"username": ADMIN, "password": PASSWORD}).raise_for_status()
        http.headers["X-CSRFToken"] = http.cookies.get("csrftoken") or ""
        yield http


def task(made: Made) -> tuple[int, int]:
    """A task on one image of the bucket: its job and its label."""
    image = io.BytesIO()
    Image.new("RGB", (640, 480)).save(image, "PNG")
    s3 = buckets.client(outputs(made.name), made.bucket)
    s3.put_object(Bucket=made.bucket, Key="million/one.png", Body=image.getvalue())
    with admin(made) as http:
        body = {"name": "million", "labels": [{"name": "car"}]}
        number = http.post("/api/tasks", json=body).raise_for_status().json()["id"]
        files = {"server_files": [f"{made.bucket}/million/one.png"], "image_quality": 70}
        http.post(f"/api/tasks/{number}/data", json=files).raise_for_status()
        job = _job(http, number)
        label = http.get("/api/labels", params={"task_id": number}).json()["results"][0]["id"]
    return job, label


def _job(http: httpx.Client, task: int) -> int:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = http.get("/api/jobs", params={"task_id": task}).json()["results"]
        if found:
            return int(found[0]["id"])
        time.sleep(0.5)
    raise TimeoutError("the task got no job")

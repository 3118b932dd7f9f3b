"""A rehearsal: another version of CVAT migrates a copy of the database, which may lose no rows."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import drill, dump, record, scratch
from .programs import WORK, FailedError, run

MIGRATE = "django-admin migrate --no-input && django-admin migrate --check"
DATA = "--volume=labelspace-data:/home/django/data:ro"
"""CVAT's files are there to read."""
LIMITS = ("--user=1000:1000", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=1g", "--init")


def rehearse(known: dict[str, str], image: str, environment: list[str]) -> str:
    """Dump, and let ``image`` migrate a copy; raises ``FailedError``. Returns the dump's id.

    Nothing of the workspace is written but that dump, and nothing else of the rehearsal stays.
    """
    _had(image)
    label = dump.take(known).rpartition("/")[2].removesuffix(".dump")
    with _network() as network, scratch.database(known["POSTGRES_IMAGE"], network) as inside:
        ask = scratch.ask(inside)
        expected = drill.restored(known, label, inside)
        if expected is None:
            raise FailedError("the dump has no record")
        drill.judged(expected, record.take(ask))
        _migrate(network, image, environment)
        lost = record.lost(expected, record.take(ask))
    if lost:
        raise FailedError(f"it would lose rows: {lost}")
    return label


def _had(image: str) -> None:
    """Fetched when it is not there."""
    if subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode:
        run("docker", "pull", "--quiet", image)


@contextmanager
def _network() -> Iterator[str]:
    """It leads nowhere else."""
    name = f"labelspace-rehearsal-{os.getpid()}"
    run("docker", "network", "create", "--internal", name)
    try:
        yield name
    finally:
        subprocess.run(["docker", "network", "rm", name], capture_output=True, check=False)


def _migrate(network: str, image: str, environment: list[str]) -> None:
    """By the new version's own migrations. CVAT wants a password; the copy trusts whoever reaches it."""
    settings = dict(one.split("=", 1) for one in environment)
    with tempfile.NamedTemporaryFile("w", prefix="rehearse.", dir=WORK) as password:
        password.write("rehearsal")
        password.flush()
        Path(password.name).chmod(0o444)
        place = f"--volume={password.name}:{settings['CVAT_POSTGRES_PASSWORD_FILE']}:ro"
        given = [f"--env={name}={value}" for name, value in settings.items()]
        words = [*LIMITS, f"--network={network}", DATA, place, *given, "--env=CVAT_POSTGRES_HOST=scratch"]
        try:
            run("docker", "run", "--rm", *words, "--entrypoint=bash", image, "-c", MIGRATE)
        except FailedError as error:
            raise FailedError(f"its migration failed: {error}") from None

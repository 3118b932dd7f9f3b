"""The notifier's container: it has no rights, no volumes and no socket, and asks over the network alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files as package_files

import pulumi

from labelspace.container_spec import File, Health, Service
from labelspace.cvat.images import cvat_image

PART = "notifier"
SETTINGS_FILE = "/run/labelspace/notify.json"
"""As in ``notifier.py``."""
PROGRAM = "/opt/labelspace/notifier.py"
MODULES = ("faults.py", "mail.py", "notifier.py", "webhook.py")
STATE_PORT = 8099
"""As in ``labelspace_backup.serve``."""
SERVES_STATE = "LABELSPACE_SERVES_STATE"
"""Variable of the backup program's container: it answers the notifier. As in ``labelspace_backup.serve``."""
ALIVE = "find /tmp/labelspace-alive -mmin -5 | grep -q ."


@dataclass(frozen=True)
class Mail:
    """The SMTP server, as the containers reach it, and the addresses; named as in ``mail.py``."""

    host: str
    port: int
    security: str
    user: str
    password: str
    sender: str
    receiver: str


@dataclass(frozen=True)
class Watched:
    """What the notifier asks, and where it reports; the fields are named as in ``notifier.py``'s settings."""

    workspace: str
    url: str
    """The workspace's address, for the messages."""
    webhook: str
    """Empty for none."""
    email: Mail | None
    format: str
    down_minutes: int
    parts: Mapping[str, str]
    """A URL (``http`` or ``tcp``) for each part."""
    buckets: Mapping[str, str]
    """The endpoint of each remote bucket."""
    certificates: Mapping[str, str]
    """``ADDRESS:PORT`` where each host's certificate is served."""
    backups: str
    """The URL of the state of backups and disks."""
    queues: tuple[str, ...]
    redis: str
    """Host name of the queues' Redis."""


def service(watched: pulumi.Input[Watched], redis_password: pulumi.Input[str], cvat_version: str) -> Service:
    """The container, in the image of CVAT's server: it is there anyway and holds Python and Redis' client."""
    settings = pulumi.Output.all(watched, redis_password).apply(
        lambda values: json.dumps({**asdict(values[0]), "redis_password": values[1]})
    )
    return Service(
        name=PART,
        image=cvat_image("server", cvat_version),
        memory=96,
        entrypoint=("python3", "-E", PROGRAM),
        files=(
            File(SETTINGS_FILE, pulumi.Output.secret(settings)),
            *(File(f"/opt/labelspace/{name}", _module(name)) for name in MODULES),
        ),
        user="1000:1000",
        health=Health(("CMD-SHELL", ALIVE), interval=10, start_period=120),
    )


def _module(name: str) -> str:
    return package_files("labelspace.notify").joinpath("container_files", name).read_text()

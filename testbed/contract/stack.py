"""A small CVAT of its own on the Docker engine: database, caches, OPA, server, two workers, one share."""

from __future__ import annotations

import io
import os
import secrets
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import httpx
from docker.models.containers import Container

from labelspace.cvat.images import CVAT_VERSION, IMAGES, image_version
from labelspace.cvat_lines import line_of
from testbed.inside import inside

SERVER_IMAGE = os.environ.get("LABELSPACE_CONTRACT_SERVER", IMAGES["server"])
UI_IMAGE = os.environ.get("LABELSPACE_CONTRACT_UI", IMAGES["ui"])
LABEL = "labelspace.contract"
PATIENCE_SECONDS = 900
DATABASE_PASSWORD = "contract-database"
ADMIN = "contract-admin"
PASSWORD = "a-Long-phrase-of-2026"
VERSION = os.environ.get("LABELSPACE_CONTRACT_VERSION") or image_version(SERVER_IMAGE) or CVAT_VERSION
LINE = line_of(VERSION)
"""The line that the image is compared with."""
OPA_OPTIONS = {
    "services.cvat.url": "http://cvat-server:8080",
    "bundles.cvat.service": "cvat",
    "bundles.cvat.resource": "/api/auth/rules",
    "bundles.cvat.polling.min_delay_seconds": "1",
    "bundles.cvat.polling.max_delay_seconds": "2",
}
"""docker-compose.yml, cvat_opa; the polling is shorter here."""
ENVIRONMENT = {
    "CVAT_POSTGRES_HOST": "cvat-db",
    "CVAT_POSTGRES_DBNAME": "cvat",
    "CVAT_POSTGRES_USER": "cvat",
    "CVAT_POSTGRES_PASSWORD_FILE": "/run/contract/database-password",
    "CVAT_REDIS_INMEM_HOST": "cvat-redis",
    "CVAT_REDIS_INMEM_PORT": "6379",
    "CVAT_REDIS_INMEM_PASSWORD": "",
    "CVAT_REDIS_ONDISK_HOST": "cvat-cache",
    "CVAT_REDIS_ONDISK_PORT": "6666",
    "CVAT_REDIS_ONDISK_PASSWORD": "",
    "SMOKESCREEN_OPTS": "",
    "NUMPROCS": "1",
    "ALLOWED_HOSTS": "*",
    "no_proxy": "opa,cvat-server,cvat-redis,cvat-cache,cvat-db",
}
OVERLAY = "from cvat.settings.production import *\nIAM_DEFAULT_ROLE = 'worker'\n"
"""The mechanism of the LDAP guide (site/content/en/docs/administration/community/advanced/ldap.md)."""
HOOK = """\
export DJANGO_SECRET_KEY=key-of-the-hook
django-admin() { echo "asked: $*"; command django-admin "$@"; }
"""


def until(true: Callable[[], Any], what: str, patience: float = PATIENCE_SECONDS) -> Any:
    """Wait for ``true`` to return something; raises with the last refusal."""
    deadline, last = time.monotonic() + patience, ""
    while time.monotonic() < deadline:
        try:
            if found := true():
                return found
            last = "false"
        except (AssertionError, httpx.HTTPError, ValueError) as error:
            last = str(error)
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come true in {patience:.0f} s: {last}")


def packed(files: dict[str, str]) -> bytes:
    """A tar of text files by absolute path, readable by all."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(text.encode()), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


@dataclass
class Stack:
    """The containers by name, on one network; ``close`` removes all of them."""

    share: Path
    name: str = field(default_factory=lambda: f"labelspace-contract-{secrets.token_hex(3)}")
    engine: Any = field(default_factory=docker.from_env)
    url: str = ""

    def __post_init__(self) -> None:
        self.network = self.engine.networks.create(self.name, labels={LABEL: self.name})
        for volume in ("data", "keys", "logs"):
            self.engine.volumes.create(f"{self.name}-{volume}", labels={LABEL: self.name})

    def container(self, part: str, image: str, *command: str, **options: Any) -> Container:
        """Create and start a container named after its part; its alias on the network is ``part``."""
        files = options.pop("files", {})
        made = self.engine.containers.create(
            image, list(command), name=f"{self.name}-{part}", labels={LABEL: self.name}, **options
        )
        if files:
            made.put_archive("/", packed(files))
        self.network.connect(made, aliases=[part])
        made.start()
        return made

    def backend(self, part: str, *command: str, **options: Any) -> Container:
        """A container of the server image with what every one of them shares."""
        mounts = {f"{self.name}-{volume}": volume for volume in ("data", "keys", "logs")}
        volumes = {name: {"bind": f"/home/django/{folder}"} for name, folder in mounts.items()}
        volumes[str(self.share)] = {"bind": "/home/django/share", "mode": "ro"}
        files = {
            "/run/contract/database-password": DATABASE_PASSWORD + "\n",
            "/opt/cvat/settings.py": OVERLAY,
            "/etc/cvat/init.d/contract.sh": HOOK,
            **options.pop("files", {}),
        }
        environment = {**ENVIRONMENT, "DJANGO_SETTINGS_MODULE": "settings", **options.pop("environment", {})}
        return self.container(
            part,
            SERVER_IMAGE,
            *command,
            volumes=volumes,
            environment={name: value for name, value in environment.items() if value is not None},
            files=files,
            **options,
        )

    def once(self, *command: str, **options: Any) -> tuple[int, str]:
        """Run the server image to its end; the exit code and all that it said."""
        made = self.backend(f"once-{secrets.token_hex(3)}", *command, **options)
        try:
            code = made.wait(timeout=PATIENCE_SECONDS)["StatusCode"]
            return code, made.logs().decode(errors="replace")
        finally:
            made.remove(force=True)

    def get(self, part: str) -> Container:
        return self.engine.containers.get(f"{self.name}-{part}")

    def start_database(self) -> None:
        environment = {"POSTGRES_USER": "cvat", "POSTGRES_DB": "cvat", "POSTGRES_PASSWORD": DATABASE_PASSWORD}
        self.container("cvat-db", IMAGES["postgres"], environment=environment)
        self.container("cvat-redis", LINE.images["redis"], "redis-server", "--protected-mode", "no")
        self.container("cvat-cache", LINE.images["kvrocks"], init=True)

    def start_server(self) -> None:
        """Server, OPA and workers; ready when health is good and every queue has a worker."""
        options = [f"--set={key}={value}" for key, value in OPA_OPTIONS.items()]
        self.container(
            "opa", LINE.images["opa"], "run", "--server", "--addr=:8181", "--log-level=error", *options
        )
        always: dict[str, Any] = {"restart_policy": {"Name": "always"}}  # as in docker-compose.yml
        port = {"8080/tcp": ("127.0.0.1", None)}
        self.backend("cvat-server", "init", "run", "server", "nginx", ports=port, **always)
        self.backend("chunks", "run", "worker", "chunks", **always)
        self.backend("worker", "run", "worker", *LINE.queues, *LINE.flags, **always)
        self.find_url()
        until(self.healthy, "health")
        until(lambda: not self.idle_queues(), "a worker on every queue")

    def find_url(self) -> None:
        """The published port, which may change with a restart."""
        server = self.get("cvat-server")
        until(lambda: server.reload() or server.ports.get("8080/tcp"), "a published port", 30)
        self.url = f"http://127.0.0.1:{server.ports['8080/tcp'][0]['HostPort']}"

    def health(self) -> httpx.Response:
        return httpx.get(f"{self.url}/api/server/health/?format=json", timeout=30)

    def healthy(self) -> bool:
        answer = self.health()
        assert answer.status_code == 200, answer.text[:500]
        return bool(answer.json())

    def idle_queues(self) -> list[str]:
        """Queues without a worker: what ``workerprobe`` would complain of (cvat/apps/health)."""
        keys = [f"rq:workers:{queue}" for queue in ("chunks", *LINE.queues)]
        return [key for key in keys if self.redis("SCARD", key) == "0"]

    def redis(self, *command: str) -> str:
        _, said = inside(self.get("cvat-redis"), ["redis-cli", *command])
        return str(said.decode().strip())

    def django(self, *command: str, **environment: str) -> tuple[int, str]:
        """``django-admin`` in a container of its own: the database's environment is all that it needs."""
        return self.once(*command, entrypoint="django-admin", environment=environment)

    def sql(self, query: str) -> list[str]:
        """Lines that ``psql`` answers."""
        command = ["psql", "-U", "cvat", "-d", "cvat", "-At", "-c", query]
        code, said = inside(self.get("cvat-db"), command, user="postgres")
        assert code == 0, said
        return str(said.decode()).splitlines()

    @contextmanager
    def stopped(self, part: str) -> Iterator[None]:
        """Without ``part`` for a while."""
        self.get(part).stop(timeout=5)
        try:
            yield
        finally:
            self.get(part).start()

    def close(self) -> None:
        wanted = {"label": f"{LABEL}={self.name}"}
        for one in self.engine.containers.list(all=True, filters=wanted):
            one.remove(force=True, v=True)
        for volume in self.engine.volumes.list(filters=wanted):
            volume.remove(force=True)
        self.network.remove()

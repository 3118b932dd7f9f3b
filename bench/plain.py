"""The peer: CVAT by plain ``docker run`` of the same images, in the order of its own compose file.

Source: docker-compose.yml and the installation guide of cvat-ai/cvat at v2.73.0, without analytics and
Traefik: its services, their commands, environment and volumes, then createsuperuser. It has no gate, buckets,
backups or passwords.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from labelspace.cvat.images import CVAT_VERSION, IMAGES, cvat_image
from labelspace_ops.targets.local.preflight import free_port

OFFICIAL_WORKERS: dict[str, tuple[str, ...]] = {
    "utils": ("notifications", "cleaning"),
    "import": ("import",),
    "export": ("export",),
    "annotation": ("annotation",),
    "webhooks": ("webhooks", "--with-scheduler"),
    "quality_reports": ("quality_reports",),
    "chunks": ("chunks",),
    "consensus": ("consensus",),
}
"""The worker containers of CVAT's compose file."""
TWO_PROCESSES = ("import", "export", "chunks")
"""Workers to which the compose file gives NUMPROCS=2."""
DATA = {"data": "/home/django/data", "keys": "/home/django/keys", "logs": "/home/django/logs"}
ENVIRONMENT = {
    "CVAT_POSTGRES_HOST": "cvat_db",
    "CVAT_REDIS_INMEM_HOST": "cvat_redis_inmem",
    "CVAT_REDIS_INMEM_PORT": "6379",
    "CVAT_REDIS_INMEM_PASSWORD": "",
    "CVAT_REDIS_ONDISK_HOST": "cvat_redis_ondisk",
    "CVAT_REDIS_ONDISK_PORT": "6666",
    "CVAT_ALLOW_STATIC_CACHE": "no",
    "CVAT_NUM_PROXIES": "1",
    "SMOKESCREEN_OPTS": "",
    "no_proxy": "opa",
}
OPA = (
    *("run", "--server", "--addr=:8181", "--log-level=error"),
    "--set=services.cvat.url=http://cvat-server:8080",
    "--set=bundles.cvat.service=cvat",
    "--set=bundles.cvat.resource=/api/auth/rules",
    "--set=bundles.cvat.polling.min_delay_seconds=5",
    "--set=bundles.cvat.polling.max_delay_seconds=15",
)
LABEL = "labelspace.bench"
PATIENCE_SECONDS = 600
FIRST_PORT = 31150


@dataclass(frozen=True)
class Plain:
    """What was started: seconds from the first ``docker run`` to healthy, container names by service."""

    seconds: float
    containers: dict[str, str]


@contextmanager
def plain(version: str = CVAT_VERSION) -> Iterator[Plain]:
    """CVAT on empty volumes until its health says that all works and it has an admin; removed afterwards."""
    run = _Run(f"plain{secrets.token_hex(2)}", version)
    port = free_port("127.0.0.1", FIRST_PORT, set())
    try:
        began = time.monotonic()
        run.start(port)
        until_healthy(f"http://127.0.0.1:{port}/api/server/health/?format=json")
        run.make_admin()
        yield Plain(time.monotonic() - began, dict(run.containers))
    finally:
        run.remove()


class _Run:
    """One set of containers, volumes and a network, all with one label."""

    def __init__(self, name: str, version: str) -> None:
        self.name, self.version = name, version
        self.containers: dict[str, str] = {}

    def start(self, port: int) -> None:
        _docker("network", "create", "--label", f"{LABEL}={self.name}", self.name)
        database = {
            "POSTGRES_USER": "root",
            "POSTGRES_DB": "cvat",
            "POSTGRES_HOST_AUTH_METHOD": "trust",
        }
        self._run("cvat_db", IMAGES["postgres"], env=database, volumes={"db": "/var/lib/postgresql/data"})
        # the official image opens itself to its network; one that is built from a package does not
        save = ("redis-server", "--save", "60", "100", "--appendonly", "yes", "--protected-mode", "no")
        self._run("cvat_redis_inmem", IMAGES["redis"], *save, volumes={"inmem": "/data"})
        compact = ("--compact-cron", "0 3 * * *")
        self._run("cvat_redis_ondisk", IMAGES["kvrocks"], *compact, volumes={"cache": "/var/lib/kvrocks"})
        self._run("cvat_opa", IMAGES["opa"], *OPA, alias="opa")
        self._backends(port)
        self._run("cvat_ui", cvat_image("ui", self.version))

    def _backends(self, port: int) -> None:
        image = cvat_image("server", self.version)
        environment = {**ENVIRONMENT, "ALLOWED_HOSTS": "*", "NUMPROCS": "2"}
        self._run(
            *("cvat_server", image, "init", "run", "server", "nginx"),
            env=environment,
            volumes=DATA,
            alias="cvat-server",
            publish=f"127.0.0.1:{port}:8080",
        )
        for name, queues in OFFICIAL_WORKERS.items():
            processes = "2" if name in TWO_PROCESSES else "1"
            self._run(
                *(f"cvat_worker_{name}", image, "run", "worker", *queues),
                env={**ENVIRONMENT, "NUMPROCS": processes},
                volumes=DATA,
            )

    def _run(
        self,
        service: str,
        image: str,
        *command: str,
        env: dict[str, str] | None = None,
        volumes: dict[str, str] | None = None,
        alias: str = "",
        publish: str = "",
    ) -> None:
        name = f"{self.name}-{service}"
        words = ["run", "--detach", "--restart", "always", "--name", name, "--label", f"{LABEL}={self.name}"]
        words += ["--network", self.name, "--network-alias", alias or service]
        words += [word for key, value in (env or {}).items() for word in ("--env", f"{key}={value}")]
        for volume, path in (volumes or {}).items():
            words += ["--volume", f"{self.name}-{volume}:{path}"]
        if publish:
            words += ["--publish", publish]
        _docker(*words, image, *command)
        self.containers[service] = name

    def make_admin(self) -> None:
        """As CVAT's guide does, once the server is up; with the password given ahead instead of typed."""
        word = f"DJANGO_SUPERUSER_PASSWORD={secrets.token_urlsafe(12)}"
        admin = ("--noinput", "--username", "admin", "--email", "admin@example.org")
        server = self.containers["cvat_server"]
        _docker("exec", "--env", word, server, "python3", "manage.py", "createsuperuser", *admin)

    def remove(self) -> None:
        names = list(self.containers.values())
        if names:
            _docker("rm", "--force", "--volumes", *names, check=False)
        volumes = _docker("volume", "ls", "--quiet", "--filter", f"name={self.name}-").split()
        if volumes:
            _docker("volume", "rm", "--force", *volumes, check=False)
        _docker("network", "rm", self.name, check=False)


def _docker(*words: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"docker {words[0]}: {done.stderr.strip()}")
    return done.stdout


def until_healthy(url: str) -> None:
    """Every part says "working", as the gate of a workspace asks."""
    deadline, said = time.monotonic() + PATIENCE_SECONDS, ""
    while time.monotonic() < deadline:
        try:
            parts = json.loads(httpx.get(url, timeout=20).text)
            if parts and set(parts.values()) == {"working"}:
                return
            said = str(parts)
        except (httpx.HTTPError, ValueError) as error:
            said = str(error)
        time.sleep(0.25)
    raise TimeoutError(f"plain containers were not healthy in {PATIENCE_SECONDS} s: {said}")

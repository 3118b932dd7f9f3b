"""A CVAT server over a copy of a database, which shows what an upgrade changes. Nothing of it stays."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from labelspace.cvat import config_files, kvrocks, services
from labelspace.cvat.images import cvat_image
from labelspace.cvat_lines import Line, line_of
from labelspace.naming import resource_name
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.base import Job, Mount, Result, Runtime

REDIS, CACHE, OPA = "rehearsal-redis", "rehearsal-cache", "rehearsal-opa"
SERVER, WORKER, DATA = "rehearsal-server", "rehearsal-worker", "rehearsal-data"
PARTS = {REDIS, CACHE, OPA, SERVER, WORKER}
OBSERVE = "/opt/labelspace/observe.py"
ACCOUNT = "/run/labelspace/observer.json"
ENTRYPOINT = "/opt/cvat/backend_entrypoint.sh"
SCALE = services.SIZES["small"]
PASSWORD = config_files.DATABASE_PASSWORD


@dataclass(frozen=True)
class Copy:
    """A served copy of a backup: its network, its database's container and password."""

    network: str
    host: str
    password: str


@dataclass(frozen=True)
class Observed:
    """What a server over the copy showed."""

    health: int
    """Parts that its health reports, all working."""
    task: int | None
    """The task that was read and exported; None where there is none."""
    content: dict[str, list[object]]
    """Count and digest of the task's labels, tags, shapes, tracks and exported images."""

    def differences(self, later: Observed) -> list[str]:
        """What another server shows otherwise, as sentences."""
        return [
            f"{name} of task {self.task}: {later.content[name][0]} instead of {found[0]}"
            + (", with other values" if later.content[name][0] == found[0] else "")
            for name, found in self.content.items()
            if later.content[name] != found
        ]


@dataclass(frozen=True)
class Secrets:
    """Passwords that exist as long as the rehearsal."""

    redis: str
    observer: str

    @classmethod
    def new(cls) -> Secrets:
        """Random ones."""
        return cls(secrets.token_hex(16), secrets.token_urlsafe(24))


class CopyServer:
    """Serves one copy with one version of CVAT after the other."""

    def __init__(self, runtime: Runtime, copy: Copy) -> None:
        self._runtime, self._copy, self._secrets = runtime, copy, Secrets.new()
        self._has_account = False

    def observe(self, version: str, task: int | None = None) -> Observed:
        """Serve the copy with ``version`` and look at it; raises ``OpsError`` with the reason."""
        line = line_of(version)
        with self._served(version, line):
            words = ["python3", OBSERVE, "look", *([str(task)] if task else [])]
            result = self._runtime.exec(SERVER, words)
        return _parse(result.output)

    @contextmanager
    def _served(self, version: str, line: Line) -> Iterator[None]:
        try:
            for job in self._stores(line):
                self._runtime.launch(job)
            self._prepare(version, line)
            for job in self._application(version, line):
                self._runtime.launch(job)
            yield
        finally:
            remove(self._runtime)

    def _name(self, part: str) -> str:
        return resource_name(self._runtime.workspace, part)

    def _stores(self, line: Line) -> tuple[Job, ...]:
        password = self._secrets.redis
        return (
            Job(
                line.images["redis"],
                ["redis-server", config_files.REDIS_CONF],
                part=REDIS,
                files={config_files.REDIS_CONF: config_files.redis_conf(password)},
                networks=(self._copy.network,),
                user="999:1000",
                memory=f"{SCALE.redis}m",
            ),
            Job(
                line.images["kvrocks"],
                ["kvrocks", "-c", config_files.KVROCKS_CONF],
                part=CACHE,
                files={config_files.KVROCKS_CONF: kvrocks.configuration(password, SCALE.cache)},
                networks=(self._copy.network,),
                user="999:999",
                memory=f"{SCALE.cache}m",
            ),
        )

    def _prepare(self, version: str, line: Line) -> None:
        """Migrate the queues, and make the account in the first version."""
        steps = ["django-admin migrateredis", "django-admin migrateredis --check"]
        if not self._has_account:
            steps.append(f"python3 {OBSERVE} account")
        script = f". {config_files.SECRETS_SCRIPT}; " + " && ".join(steps)
        result = self._runtime.run(self._backend(version, line, "", ["bash", "-c", script], SCALE.worker))
        if result.exit_code:
            raise OpsError(f"migrateredis ended with {result.exit_code}: {last_line(result)}")
        self._has_account = True

    def _application(self, version: str, line: Line) -> tuple[Job, ...]:
        server = [ENTRYPOINT, "run", "server", "nginx"]
        worker = [ENTRYPOINT, "run", "worker", "export", *line.flags]
        opa = ["/opa", *services.opa_arguments(f"http://{self._name(SERVER)}:8080")]
        return (
            self._backend(version, line, SERVER, server, SCALE.server),
            self._backend(version, line, WORKER, worker, SCALE.worker),
            Job(line.images["opa"], opa, part=OPA, networks=(self._copy.network,), user="1000:1000"),
        )

    def _backend(self, version: str, line: Line, part: str, command: list[str], memory: int) -> Job:
        observer = {"username": "labelspace-rehearsal", "email": "", "password": self._secrets.observer}
        redis = self._secrets.redis
        return Job(
            cvat_image("server", version),
            command,
            part=part,
            mounts=(Mount(self._runtime.make_volume(DATA), "/home/django/data"),),
            files={
                PASSWORD: self._copy.password,
                ACCOUNT: json.dumps(observer),
                OBSERVE: config_files.container_file("observe.py"),
                config_files.SECRETS_SCRIPT: config_files.secrets_script(secrets.token_hex(24), redis, redis),
            },
            networks=(self._copy.network,),
            environment=self._environment(line),
            user="1000:1000",
            memory=f"{memory}m",
        )

    def _environment(self, line: Line) -> dict[str, str]:
        """As a workspace's, without its own settings, with the hosts of the copy."""
        hosts = {
            "CVAT_POSTGRES_HOST": self._copy.host,
            "CVAT_REDIS_INMEM_HOST": self._name(REDIS),
            "CVAT_REDIS_ONDISK_HOST": self._name(CACHE),
            "CVAT_OPA_URL": f"http://{self._name(OPA)}:8181",
            "ALLOWED_HOSTS": "*",
            "LABELSPACE_HEALTH": ",".join(line.health),
        }
        shared = {key: value for key, value in services.BACKEND_ENVIRONMENT.items() if key != SETTINGS}
        return {**shared, **hosts, "no_proxy": "*"}


SETTINGS = "DJANGO_SETTINGS_MODULE"
"""Not set on a copy: the workspace's own settings are not in its containers."""


def remove(runtime: Runtime) -> None:
    """Remove what a rehearsal, or one that was killed, left."""
    runtime.remove(PARTS & runtime.services().keys())
    if DATA in runtime.volumes():
        runtime.remove_volumes([DATA])


def _parse(output: str) -> Observed:
    """The JSON of the last line; raises ``OpsError`` with the reason of a failure."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        raise OpsError(f"it does not serve the copy: {output.strip()[-300:] or 'it ended'}")
    found = json.loads(lines[-1])
    if "failed" in found:
        raise OpsError(f"it does not serve the copy: {found['failed']}")
    return Observed(found["health"], found["task"], found["content"])


def last_line(result: Result) -> str:
    """The last line of a job's errors, else of its output."""
    text = result.errors or result.output
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "without any output"

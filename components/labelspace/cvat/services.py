"""CVAT's containers, each described once: the targets turn them into what they run.

Source: docker-compose.yml and backend_entrypoint.sh of cvat-ai/cvat; analytics is left out. What differs by
version is in ``cvat_lines``. Two worker containers serve all queues: ``chunks`` must not wait behind a long
export, the others may.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pulumi

from labelspace.container_spec import File, Health, Service
from labelspace.cvat import caddy as caddy_config
from labelspace.cvat import config_files, egress, kvrocks
from labelspace.cvat.caddy import Https, OwnCertificate, Public, caddyfile
from labelspace.cvat.images import CVAT_VERSION, IMAGES, cvat_image
from labelspace.cvat.names import DATABASE_ALIAS, DATABASE_NAME, DATABASE_USER
from labelspace.cvat_lines import Line, line_of
from labelspace.spec import EmailSpec

PROXY_PORT = 8080
HTTPS_PORT = caddy_config.HTTPS_PORT
READINESS_TIMEOUT_SECONDS = 900
"""Longest wait for readiness; a first start on two busy cores was seen to take 160 s."""

NOTES_VOLUME = {"notes": caddy_config.NOTES}
"""Files by which proxy, workers and sleeper exchange their state, in a workspace that may sleep."""
DATA_VOLUMES = {"data": "/home/django/data", "keys": "/home/django/keys", "logs": "/home/django/logs"}


@dataclass(frozen=True)
class Scale:
    """Processes and memory limits (MiB) of one size."""

    processes: int
    chunk_processes: int
    server: int
    worker: int
    chunks: int
    redis: int
    cache: int


SIZES = {
    "small": Scale(1, 1, 1536, 1536, 1024, 256, 512),
    "medium": Scale(2, 2, 3072, 3072, 2048, 512, 1024),
    "large": Scale(4, 4, 6144, 6144, 4096, 1024, 2048),
}
"""Idle, small needs 947 MiB in all (measured once); limits leave memory for imports and exports."""


@dataclass(frozen=True)
class Secrets:
    """Generated and chosen passwords; all are secret outputs."""

    database: pulumi.Input[str]
    redis: pulumi.Input[str]
    cache: pulumi.Input[str]
    django: pulumi.Input[str]
    admin: pulumi.Input[str]


@dataclass(frozen=True)
class Settings:
    """The settings of the spec that the containers depend on."""

    size: str
    registration: str
    default_role: str
    hosts: tuple[str, ...]
    admin_username: pulumi.Input[str]
    admin_email: pulumi.Input[str]
    secrets: Secrets
    https: Https | None = None
    public: Public | None = None
    own_certificate: OwnCertificate | None = None
    email: EmailSpec | None = None
    email_password: pulumi.Input[str] | None = None
    address: str = ""
    """Host and port of the URL that browsers open, for links in mails."""
    sleeps: bool = False
    version: str = CVAT_VERSION
    archived_mark: str = ""
    """As in ``DatabaseAccess``."""
    egress: tuple[str, ...] = ()
    """As in ``EgressSpec.allow``."""
    star_banner: bool = False

    @property
    def line(self) -> Line:
        """The line of CVAT that runs."""
        return line_of(self.version)


def services(settings: Settings) -> dict[str, Service]:
    """All containers by name, in an order in which they may start."""
    scale = SIZES[settings.size]
    backend = _backend(settings)
    every = [
        _redis(settings, scale),
        _cache(settings, scale),
        _opa(settings),
        _migrate(backend),
        _server(backend, settings, scale),
        _worker("worker-chunks", backend, settings, ("chunks",)),
        _worker("worker", backend, settings, settings.line.queues),
        _ui(settings.version),
        _proxy(settings),
        _readiness(backend, settings),
    ]
    return {service.name: service for service in every}


def _secret_file(path: str, content: pulumi.Input[str]) -> File:
    return File(path, pulumi.Output.secret(content))


def _redis(settings: Settings, scale: Scale) -> Service:
    conf = pulumi.Output.from_input(settings.secrets.redis).apply(config_files.redis_conf)
    return Service(
        name="redis",
        image=settings.line.images["redis"],
        memory=scale.redis,
        command=("redis-server", config_files.REDIS_CONF),
        volumes={"redis": "/data"},
        is_store=True,
        files=(_secret_file(config_files.REDIS_CONF, conf),),
        aliases=("cvat-redis",),
        port=6379,
        user="999:1000",
        health=_redis_health(6379),
    )


def _cache(settings: Settings, scale: Scale) -> Service:
    conf = pulumi.Output.from_input(settings.secrets.cache).apply(
        lambda password: kvrocks.configuration(password, scale.cache)
    )
    return Service(
        name="cache",
        image=settings.line.images["kvrocks"],
        memory=scale.cache,
        entrypoint=("kvrocks",),
        command=("-c", config_files.KVROCKS_CONF),
        volumes={"cache": "/var/lib/kvrocks"},
        is_store=True,
        files=(_secret_file(config_files.KVROCKS_CONF, conf),),
        aliases=("cvat-cache",),
        port=6666,
        user="999:999",
        health=_redis_health(6666),
    )


def _redis_health(port: int) -> Health:
    """Accepts NOAUTH as healthy, so that the password stays out of the process list."""
    return Health(("CMD-SHELL", f"redis-cli -p {port} PING | grep -E '(PONG|NOAUTH)'"))


def opa_arguments(server: str) -> tuple[str, ...]:
    """Arguments of OPA, which fetches its rules from ``server``, again and again until it answers."""
    options = {
        "services.cvat.url": server,
        "bundles.cvat.service": "cvat",
        "bundles.cvat.resource": "/api/auth/rules",
        "bundles.cvat.polling.min_delay_seconds": "1",
        "bundles.cvat.polling.max_delay_seconds": "2",
    }
    return (
        *("run", "--server", "--addr=:8181", "--log-level=error", "--disable-telemetry"),
        *(f"--set={key}={value}" for key, value in options.items()),
    )


def _opa(settings: Settings) -> Service:
    ask = 'http.send({"method":"get","url":"http://localhost:8181/health"}).status_code==200'
    return Service(
        name="opa",
        image=settings.line.images["opa"],
        memory=256,
        command=opa_arguments("http://cvat-server:8080"),
        aliases=("opa",),
        port=8181,
        user="1000:1000",
        health=Health(("CMD", "/opa", "eval", "--fail", ask)),
    )


def _backend(settings: Settings) -> Service:
    """Settings that all containers of the server image share."""
    secrets = settings.secrets
    script = pulumi.Output.all(secrets.django, secrets.redis, secrets.cache).apply(
        lambda values: config_files.secrets_script(*values)
    )
    return Service(
        name="backend",
        image=cvat_image("server", settings.version),
        memory=512,
        environment={
            **BACKEND_ENVIRONMENT,
            "LABELSPACE_CVAT": settings.version,
            "LABELSPACE_ENTRYPOINTS": " ".join(settings.line.entrypoints),
            "SMOKESCREEN_OPTS": egress.options(settings.egress),
            "LABELSPACE_EGRESS": egress.names(settings.egress),
        },
        volumes=DATA_VOLUMES,
        files=(
            _secret_file(config_files.SECRETS_SCRIPT, script),
            _secret_file(config_files.DATABASE_PASSWORD, secrets.database),
            File(config_files.SETTINGS, config_files.SHARED_SETTINGS),
            File(config_files.START_SCRIPT, config_files.container_file("start.sh")),
            File(config_files.EGRESS_SCRIPT, config_files.container_file("egress.sh")),
            File(config_files.MIGRATE, config_files.container_file("migrate.py")),
        ),
        user="1000:1000",
    )


def _turned_off(settings: Settings) -> tuple[str, ...]:
    """Lines of Django's settings for what this workspace does not want, where CVAT's line has it."""
    return tuple(text for name, text in settings.line.turned_off.items() if not getattr(settings, name))


BACKEND_ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "settings",
    "CVAT_POSTGRES_HOST": DATABASE_ALIAS,
    "CVAT_POSTGRES_PORT": "5432",
    "CVAT_POSTGRES_DBNAME": DATABASE_NAME,
    "CVAT_POSTGRES_USER": DATABASE_USER,
    "CVAT_POSTGRES_PASSWORD_FILE": config_files.DATABASE_PASSWORD,
    "CVAT_REDIS_INMEM_HOST": "cvat-redis",
    "CVAT_REDIS_INMEM_PORT": "6379",
    "CVAT_REDIS_ONDISK_HOST": "cvat-cache",
    "CVAT_REDIS_ONDISK_PORT": "6666",
    "CVAT_ALLOW_STATIC_CACHE": "no",
    "CVAT_NUM_PROXIES": "1",
    "CVAT_ANALYTICS": "0",
    "SMOKESCREEN_OPTS": "",
    "no_proxy": "opa,cvat-server,cvat-redis,cvat-cache,cvat-db,localhost,127.0.0.1",
}
"""Source: x-backend-env of docker-compose.yml, with the variables that must exist even when empty."""


def _migrate(backend: Service) -> Service:
    """Migrates database and queues to this version; exits at once when nothing is to do."""
    return replace(
        backend,
        name="migrate",
        entrypoint=("bash", "-c"),
        command=(f". {config_files.SECRETS_SCRIPT}; exec python3 {config_files.MIGRATE}",),
        files=(*backend.files, File(config_files.DJANGO_ONCE, config_files.container_file("django_once.py"))),
        one_shot=True,
        memory=1024,
    )


def _archived(settings: Settings) -> dict[str, str]:
    return {"LABELSPACE_ARCHIVED": settings.archived_mark} if settings.archived_mark else {}


def _with_settings(backend: Service, settings: Settings) -> tuple[File, ...]:
    """The files of a backend, with the server's settings in place of those that all share."""
    overlay = config_files.settings_overlay(
        settings.registration,
        settings.default_role,
        settings.public.url if settings.public else "",
        email=settings.email,
        address=settings.address,
        turned_off=_turned_off(settings),
    )
    files = tuple(
        replace(file, content=overlay) if file.path == config_files.SETTINGS else file
        for file in backend.files
    )
    if settings.email_password is None:
        return files
    return (*files, _secret_file(config_files.EMAIL_PASSWORD, settings.email_password))


def _server(backend: Service, settings: Settings, scale: Scale) -> Service:
    url = "http://127.0.0.1:8080/api/server/about"
    about = f"__import__('urllib.request').request.urlopen('{url}',timeout=8)"
    environment = {
        **backend.environment,
        "ALLOWED_HOSTS": ",".join(settings.hosts),
        **({"CVAT_NUM_PROXIES": "2"} if settings.public else {}),
        "NUMPROCS": str(scale.processes + 1),
    }
    return replace(
        backend,
        name="server",
        command=("run", "server", "nginx"),
        environment=environment,
        files=_with_settings(backend, settings),
        aliases=("cvat-server",),
        port=8080,
        memory=scale.server,
        health=Health(("CMD", "python3", "-c", about), start_period=180),
        mounts_share=True,
    )


def _worker(name: str, backend: Service, settings: Settings, queues: tuple[str, ...]) -> Service:
    scale = SIZES[settings.size]
    own = queues == ("chunks",)
    processes, memory = (scale.chunk_processes, scale.chunks) if own else (scale.processes, scale.worker)
    check = f". {config_files.SECRETS_SCRIPT}; exec python3 {config_files.WORKER_CHECK} {' '.join(queues)}"
    flags = settings.line.flags if not own else ()
    return replace(
        backend,
        name=name,
        command=("run", "worker", *queues, *flags),
        environment={**backend.environment, "NUMPROCS": str(processes)},
        memory=memory,
        files=(
            *backend.files,
            File(config_files.WORKER_CHECK, config_files.container_file("workercheck.py")),
        ),
        volumes={**backend.volumes, **(NOTES_VOLUME if settings.sleeps else {})},
        health=Health(("CMD-SHELL", check), start_period=180),
        mounts_share=True,
    )


def _ui(version: str) -> Service:
    fetch = "wget -q -O /dev/null http://127.0.0.1:8000/"
    return Service(
        name="ui",
        image=cvat_image("ui", version),
        memory=128,
        aliases=("cvat-ui",),
        port=8000,
        user="101:101",  # the image's own (nginxinc/docker-nginx-unprivileged, Dockerfile), by number
        health=Health(("CMD-SHELL", fetch)),
    )


def _rules(settings: Settings) -> str:
    return caddyfile(
        PROXY_PORT,
        settings.registration,
        settings.https,
        sleeps=settings.sleeps,
        public=settings.public,
        own_url=settings.own_certificate.url if settings.own_certificate else "",
    )


def _own_certificate(settings: Settings) -> tuple[File, ...]:
    own = settings.own_certificate
    if own is None:
        return ()
    return File(caddy_config.CERTIFICATE, own.chain), _secret_file(caddy_config.KEY, own.key)


def _authority(https: Https | None) -> tuple[File, ...]:
    """What Caddy needs of the authority that signs: whom to trust, and the account there."""
    trusted = (File(caddy_config.TRUSTED, https.trusted),) if https and https.trusted else ()
    account = (_secret_file(caddy_config.ACCOUNT, https.account),) if https and https.account else ()
    return trusted + account


def _proxy_volumes(settings: Settings) -> dict[str, str]:
    certificates = {"certificates": "/data"} if settings.https else {}
    return {**certificates, **(NOTES_VOLUME if settings.sleeps else {})}


def _proxy(settings: Settings) -> Service:
    """Its health check asks Caddy itself when the workspace may sleep, because the UI may be stopped."""
    rules = File(config_files.CADDYFILE, _rules(settings))
    page = (
        (File(caddy_config.WAKING_PAGE, config_files.container_file("waking.html")),)
        if settings.sleeps
        else ()
    )
    path = caddy_config.ALIVE_PATH if settings.sleeps else "/"
    fetch = f"wget -q -O /dev/null http://127.0.0.1:{PROXY_PORT}{path}"
    return Service(
        name="proxy",
        image=IMAGES["caddy"],
        memory=256,
        files=(rules, *page, *_authority(settings.https), *_own_certificate(settings)),
        volumes=_proxy_volumes(settings),
        stays_awake=True,
        aliases=("cvat-proxy",),
        port=PROXY_PORT,
        user=None if settings.https else "1000:1000",  # root owns the volume of the certificates
        health=Health(("CMD-SHELL", fetch)),
        capabilities=(
            "NET_BIND_SERVICE",
        ),  # the image's binary has this file capability and does not start without it
    )


def _readiness(backend: Service, settings: Settings) -> Service:
    given = (settings.admin_username, settings.admin_email, settings.secrets.admin)
    address = settings.address if settings.email else ""
    admin = pulumi.Output.all(*given).apply(
        lambda values: config_files.admin_json(values[0], values[1], values[2], address)
    )
    return replace(
        backend,
        name="readiness",
        entrypoint=("bash", "-c"),
        command=(f". {config_files.SECRETS_SCRIPT}; exec python3 {config_files.READINESS}",),
        environment={
            **backend.environment,
            "LABELSPACE_QUEUES": ",".join(("chunks", *settings.line.queues)),
            "LABELSPACE_HEALTH": ",".join(settings.line.health),
            "LABELSPACE_ADMIN": config_files.ADMIN,
            "LABELSPACE_TIMEOUT": str(READINESS_TIMEOUT_SECONDS),
            **_archived(settings),
        },
        files=(
            *backend.files,
            _secret_file(config_files.ADMIN, admin),
            File(config_files.READINESS, config_files.container_file("readiness.py")),
        ),
        one_shot=True,
    )

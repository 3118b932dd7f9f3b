"""The notifier of a workspace on this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

import pulumi
import pulumi_docker as docker

from labelspace.cvat.caddy import HTTPS_PORT
from labelspace.cvat_lines import line_of
from labelspace.given import Given
from labelspace.notify.service import STATE_PORT, Mail, Watched, service
from labelspace.spec import EmailSpec, LocalSpec
from labelspace.targets.local.container import container
from labelspace.targets.local.context import DockerContext

PORTS = {
    "redis": "tcp://{}:6379",
    "cache": "tcp://{}:6666",
    "opa": "http://{}:8181/health",
    "server": "http://{}:8080/api/server/about",
    "ui": "http://{}:8000/",
    "proxy": "tcp://{}:8080",
    "gateway": "http://{}:7070/health",
}
"""Where the parts answer, by container name."""


def notifier(
    given: Given[LocalSpec],
    context: DockerContext,
    *,
    url: str,
    redis_password: pulumi.Input[str],
    depends_on: list[pulumi.Resource],
    parent: pulumi.Resource,
) -> docker.Container:
    """Declare the container that reports faults."""
    watched = given.map(lambda spec: _watched(spec, context, url))
    described = service(watched, redis_password, given.known.cvat_version)
    return container(described, context, depends_on=depends_on, wait_healthy=True, parent=parent)


def _watched(spec: LocalSpec, context: DockerContext, url: str) -> Watched:
    assert spec.notify is not None  # noqa: S101 - the caller asked
    backup_part = "backup" if spec.external_database else "database"
    return Watched(
        workspace=spec.name,
        url=url,
        webhook=spec.notify.webhook.get_secret_value() if spec.notify.webhook else "",
        email=_mail(spec.email, spec.notify.email) if spec.email and spec.notify.email else None,
        format=spec.notify.format,
        down_minutes=spec.notify.down_minutes,
        parts={**_parts(context), "database": _database(spec, context)},
        buckets={one.name: one.endpoint for one in spec.buckets if one.endpoint},
        certificates=_certificates(url, spec, context),
        backups=f"http://{context.named(backup_part)}:{STATE_PORT}/",
        queues=("chunks", *line_of(spec.cvat_version).queues),
        redis=context.named("redis"),
    )


def _mail(server: EmailSpec, receiver: str) -> Mail:
    password = server.password.get_secret_value() if server.password else ""
    return Mail(server.host, server.port, server.security, server.user, password, server.from_, receiver)


def _parts(context: DockerContext) -> dict[str, str]:
    return {part: url.format(context.named(part)) for part, url in PORTS.items()}


def _database(spec: LocalSpec, context: DockerContext) -> str:
    own = spec.external_database
    return f"tcp://{own.host}:{own.port}" if own else f"tcp://{context.named('database')}:5432"


def _certificates(url: str, spec: LocalSpec, context: DockerContext) -> dict[str, str]:
    """Only of an HTTPS URL: the workspace's own proxy serves it, or the user's."""
    parts, host = urlsplit(url), urlsplit(url).hostname or ""
    if parts.scheme != "https":
        return {}
    own = f"{context.named('proxy')}:{HTTPS_PORT}"
    return {host: own if spec.tls else f"{host}:{parts.port or 443}"}

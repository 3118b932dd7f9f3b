"""The annotation server: CVAT's containers, and the readiness check that ends when the workspace is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import pulumi
import pulumi_docker as docker

from labelspace import certificates
from labelspace.certificates import Certificate
from labelspace.container_spec import Service
from labelspace.cvat import services as cvat
from labelspace.cvat.caddy import OwnCertificate, Public
from labelspace.cvat.images import cvat_image, image_version
from labelspace.given import Given
from labelspace.outputs import BeforeUpgrade, BucketAccess, DatabaseAccess
from labelspace.postgres import external
from labelspace.postgres.pgbackrest import FILE_VOLUMES
from labelspace.spec import AdminSpec, EmailSpec, ExternalDatabaseSpec, LocalSpec, SpecError
from labelspace.targets.local.container import Share, container, volume, wait_for_success
from labelspace.targets.local.context import DockerContext
from labelspace.targets.local.image_resources import cvat_resource
from labelspace.targets.local.sleeper import sleeper

KEPT_VOLUMES = ("logs", "redis")


def file_volumes(context: DockerContext, parent: pulumi.Resource) -> dict[str, docker.Volume]:
    """CVAT's files that are backed up with the annotation database; they outlive the stack."""
    return {name: volume(name, context, parent=parent) for name in FILE_VOLUMES}


class AnnotationServer(pulumi.ComponentResource):
    """Serves the URL. ``ready`` resolves when every part of CVAT works and the admin can log in."""

    url: str
    ready: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        given: Given[LocalSpec],
        context: DockerContext,
        database: DatabaseAccess,
        buckets: list[BucketAccess],
        secrets: cvat.Secrets,
        files: Mapping[str, pulumi.Resource],
        before_upgrade: BeforeUpgrade | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:local:AnnotationServer", name, None, opts)
        self._context, self._database = context, database
        self._given, spec = given, given.known
        self._share: Share = {bucket.name: bucket.share for bucket in buckets}
        self._images = _images(spec, context, before_upgrade, parent=self)
        self._volumes = [*files.values(), *self._make_volumes(), *self._images]
        certificate = _certificate(spec)
        self.url = _url(spec, certificate)
        self.ready = self._ready(spec, secrets, certificate) if spec.running else pulumi.Output.from_input("")
        self.register_outputs({"url": self.url, "ready": self.ready})

    def _make_volumes(self) -> list[pulumi.Resource]:
        kept = [volume(name, self._context, parent=self) for name in KEPT_VOLUMES]
        return [*kept, volume("cache", self._context, parent=self, keep=False)]

    def _ready(
        self, spec: LocalSpec, secrets: cvat.Secrets, certificate: Certificate | None
    ) -> pulumi.Output[str]:
        settings = _settings(self._given, secrets, certificate, self._database.archived_mark)
        described = external.connect(cvat.services(settings), self._external_database())
        described["proxy"] = _published(described["proxy"], spec)
        awake = self._sleeper(spec) if self._context.sleeps else []
        migrate, running = self._run(described, awake)
        check = self._readiness(described["readiness"], migrate, running)
        ended = wait_for_success(check, self._context, "readiness")
        migrated = wait_for_success(migrate, self._context, "migrate")
        return pulumi.Output.all(ended, migrated).apply(lambda ids: str(ids[0]))

    def _external_database(self) -> Given[ExternalDatabaseSpec] | None:
        if self._given.known.external_database is None:
            return None
        return self._given.part(ExternalDatabaseSpec, "external_database")

    def _sleeper(self, spec: LocalSpec) -> list[pulumi.Resource]:
        """Starts before the others, because it makes the folder of notes writable for them."""
        notes = volume("notes", self._context, parent=self, keep=False)
        image, minutes = cvat_image("server", spec.cvat_version), spec.sleep_after_minutes
        return [sleeper(self._context, minutes, image, depends_on=[notes, *self._images], parent=self)]

    def _run(
        self, described: dict[str, Service], after: list[pulumi.Resource]
    ) -> tuple[docker.Container, list[docker.Container]]:
        """The one that migrates the database, and those that stay."""
        migrate = self._container(described["migrate"], [*self._volumes], [self._database.ready])
        long_lived = [one for one in described.values() if not one.one_shot]
        running = [self._container(service, [*self._volumes, *after]) for service in long_lived]
        return migrate, running

    def _readiness(
        self, service: Service, migrate: docker.Container, running: list[docker.Container]
    ) -> docker.Container:
        """Again whenever a container of the server, or the database, was replaced, or the admin changed.

        After the migrations: a first server is healthy before the last of them made the admins' group.
        """
        return self._container(
            service, [migrate, *running], [*(one.id for one in running), self._database.ready]
        )

    def _container(
        self,
        service: Service,
        depends_on: list[pulumi.Resource],
        triggers: list[pulumi.Output[str]] | None = None,
    ) -> docker.Container:
        return container(
            service,
            self._context,
            share=self._share,
            depends_on=depends_on,
            triggers=[*(triggers or [])],
            parent=self,
        )


def _images(
    spec: LocalSpec, context: DockerContext, before_upgrade: BeforeUpgrade | None, *, parent: pulumi.Resource
) -> list[docker.RemoteImage]:
    """CVAT's images: every container waits for them, and all of them for the hook before an upgrade."""
    prefix, machine, version = context.prefix, context.machine, spec.cvat_version
    hooks = _asking(spec, prefix, before_upgrade) if before_upgrade else None
    server = cvat_resource(prefix, "server", version, machine, parent=parent, hooks=hooks)
    return [server, cvat_resource(prefix, "ui", version, machine, parent=parent, after=server)]


def _asking(spec: LocalSpec, prefix: str, before_upgrade: BeforeUpgrade) -> pulumi.ResourceHookBinding:
    async def ask(args: pulumi.ResourceHookArgs) -> None:
        old = image_version(str((args.old_inputs or {}).get("name", "")))
        await asyncio.to_thread(before_upgrade, spec, old)

    hook = pulumi.ResourceHook(f"{prefix}-before-upgrade", ask)
    return pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])


def _certificate(spec: LocalSpec) -> Certificate | None:
    """The user's certificate; a workspace that does not run needs none that is valid."""
    try:
        return certificates.load(spec.tls) if spec.tls else None
    except SpecError:
        if spec.running:
            raise
        return None


def public_url(spec: LocalSpec) -> str:
    """The address that browsers open."""
    return _url(spec, _certificate(spec))


def _url(spec: LocalSpec, certificate: Certificate | None) -> str:
    """The address that browsers open."""
    if spec.tls:
        host = (certificate.host if certificate else spec.tls.host) or f"{spec.name}.localhost"
        return f"https://{f'[{host}]' if ':' in host else host}:{spec.tls.port}"
    return spec.public_url or f"http://{spec.name}.localhost:{spec.port}"


def _published(proxy: Service, spec: LocalSpec) -> Service:
    https = ((cvat.HTTPS_PORT, spec.tls.port),) if spec.tls else ()
    return replace(
        proxy,
        publishes=((cvat.PROXY_PORT, spec.port), *https),
        publishes_on_loopback=spec.tls is not None,
    )


def _settings(
    given: Given[LocalSpec], secrets: cvat.Secrets, certificate: Certificate | None, archived_mark: str
) -> cvat.Settings:
    spec, admin = given.known, given.part(AdminSpec, "admin")
    return cvat.Settings(
        size=spec.size,
        registration=spec.registration,
        default_role=spec.default_role,
        hosts=_hosts(spec, certificate),
        version=spec.cvat_version,
        star_banner=spec.star_banner,
        admin_username=admin.value("username"),
        admin_email=admin.value("email"),
        secrets=secrets,
        public=_public(spec),
        own_certificate=_own_certificate(spec, certificate),
        email=spec.email,
        email_password=_email_password(given),
        address=urlsplit(_url(spec, certificate)).netloc,
        sleeps=spec.sleep_after_minutes > 0,
        archived_mark=archived_mark,
        egress=spec.egress.allow,
    )


def _email_password(given: Given[LocalSpec]) -> pulumi.Input[str] | None:
    if given.known.email is None or given.known.email.password is None:
        return None
    return given.part(EmailSpec, "email").map(
        lambda email: email.password.get_secret_value() if email.password else ""
    )


def _own_certificate(spec: LocalSpec, certificate: Certificate | None) -> OwnCertificate | None:
    if certificate is None:
        return None
    return OwnCertificate(_url(spec, certificate), certificate.chain, pulumi.Output.secret(certificate.key))


def _hosts(spec: LocalSpec, certificate: Certificate | None) -> tuple[str, ...]:
    """Names that the server answers to; on a network the machine's names are not known, so any."""
    if not spec.is_private:
        return ("*",)
    public = str(urlsplit(_url(spec, certificate)).hostname)
    own = ("localhost", "127.0.0.1", f"{spec.name}.localhost", "cvat-server")
    return tuple(dict.fromkeys((*own, public)))


def _public(spec: LocalSpec) -> Public | None:
    """The proxy in front; on this machine it connects through the engine, from a private address."""
    if spec.public_url is None:
        return None
    return Public(spec.public_url, spec.trusted_proxies or ("private_ranges",))

"""The annotation server: an Instance whose address, name and data outlive it."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pulumi
import pulumiverse_scaleway as scaleway

from labelspace.container_spec import File, Service
from labelspace.cvat import services as cvat
from labelspace.cvat.caddy import Https, eab_line
from labelspace.given import Given
from labelspace.outputs import BucketAccess, DatabaseAccess
from labelspace.spec import AdminSpec, ScalewaySettings, ScalewaySpec
from labelspace.targets.scaleway import cloud_init, orderly_stop
from labelspace.targets.scaleway.boot_config import PLAIN_FILES, SECRET_FILES, BootConfig, file_path
from labelspace.targets.scaleway.context import ScalewayContext
from labelspace.targets.scaleway.iam import Identity
from labelspace.targets.scaleway.network import Network
from labelspace.targets.scaleway.prices import ROOT_GB, server_type

IMAGE = "ubuntu_noble"
CERTIFICATE = "/run/labelspace/database-ca.pem"
PAUSE_SECONDS = 5.0
CERTIFICATE_SECONDS = 45.0
"""How long the authority usually takes at most; after that, an update names the usual reasons."""
NO_CERTIFICATE = "no certificate yet"
LONGEST_STEP = 200


class AnnotationServer(pulumi.ComponentResource):
    """Serves the URL; ``ready`` resolves when CVAT answers there with every part working."""

    url: pulumi.Output[str]
    ready: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        given: Given[ScalewaySpec],
        context: ScalewayContext,
        network: Network,
        identity: Identity,
        database: DatabaseAccess,
        extra_services: tuple[Service, ...] = (),
        buckets: list[BucketAccess],
        secrets: cvat.Secrets,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:scaleway:AnnotationServer", name, None, opts)
        spec = given.known
        self._name, self._spec, self._context, self._network = name, spec, context, network
        self._acme_account = _acme_account(given.part(ScalewaySettings, "scaleway"))
        described = network.host.apply(
            lambda host: _described(given, secrets, host, database, extra_services)
        )
        self.volume = self._volume()
        self._fill(identity.secret, described, database)
        user_data = self._user_data(described, database, buckets, identity)
        self.server = self._server(user_data, self._orderly_stop(user_data))
        self.url = pulumi.Output.concat("https://", network.host)
        self.ready = pulumi.Output.all(self.server.id, self.url, network.address.address).apply(
            lambda values: _until_ready(spec, *values)
        )
        self.register_outputs({"url": self.url, "ready": self.ready})

    def _volume(self) -> scaleway.block.Volume:
        """The data volume. The boot formats blank volumes alone, so an adopted one keeps its data."""
        left = self._context.spec.adopt_volume
        return scaleway.block.Volume(
            f"{self._name}-data",
            name=self._context.named("data"),
            iops=5000,
            size_in_gb=self._context.spec.data_gb,
            zone=self._context.zone,
            project_id=self._context.project,
            tags=self._context.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                retain_on_delete=True,
                import_=f"{self._context.zone}/{left}" if left else None,
            ),
        )

    def _fill(
        self,
        secret: scaleway.secrets.Secret,
        described: pulumi.Output[dict[str, Service]],
        database: DatabaseAccess,
    ) -> None:
        """Every secret file of every container, in Secret Manager, readable by the server alone."""
        secret_files: pulumi.Output[dict[str, str]] = described.apply(_secret_files)
        contents = pulumi.Output.all(secret_files, _own_files(database)).apply(
            lambda given: json.dumps({**given[0], **given[1]})
        )
        scaleway.secrets.Version(
            f"{self._name}-secrets",
            secret_id=secret.id,
            data=contents,
            region=self._context.region,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _user_data(
        self,
        described: pulumi.Output[dict[str, Service]],
        database: DatabaseAccess,
        buckets: list[BucketAccess],
        identity: Identity,
    ) -> pulumi.Output[str]:
        known = pulumi.Output.all(
            services=described,
            access_key=identity.key.access_key,
            secret_key=identity.key.secret_key,
            secret_id=identity.secret.id,
            database_host=database.host,
            database_certificate=database.ca_certificate,
            acme_account=self._acme_account,
            volume=self.volume.id,
        )
        names = tuple(bucket.name for bucket in buckets)
        return pulumi.Output.secret(known.apply(lambda values: self._boot(names, **values)))

    def _boot(self, buckets: tuple[str, ...], **known: Any) -> str:
        services: dict[str, Service] = known["services"]
        return cloud_init.user_data(
            BootConfig(
                workspace=self._context.workspace,
                services=services,
                plain_files=_plain_files(services),
                region=self._context.region,
                access_key=known["access_key"],
                secret_key=known["secret_key"],
                secret_id=_bare(known["secret_id"]),
                database_host=known["database_host"],
                database_certificate=known["database_certificate"] or "",
                acme_account=known["acme_account"],
                disk=f"/dev/disk/by-id/scsi-0SCW_sbs_volume-{_bare(known['volume'])}",
                buckets=buckets,
                backup_bucket=self._context.backup_bucket,
                endpoint=self._context.endpoint,
                ssh_public_key=self._context.spec.ssh_public_key or "",
                drill_interval_days=self._spec.backup.drill_interval_days,
            )
        )

    def _orderly_stop(self, user_data: pulumi.Output[str]) -> pulumi.Resource:
        settings = self._context.spec
        return orderly_stop.before_replacement(
            f"{self._name}-boot",
            self._context.workspace,
            replaces=pulumi.Output.concat(user_data, server_type(self._spec), self._context.zone),
            address=self._network.address.address,
            over_ssh=bool(settings.ssh_cidrs) and self._spec.running,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _server(
        self, user_data: pulumi.Output[str], stopped_before: pulumi.Resource
    ) -> scaleway.instance.Server:
        return scaleway.instance.Server(
            f"{self._name}-server",
            name=self._context.named(),
            type=server_type(self._spec),
            # another type in place is asked about at the server that is there: one that is gone (an earlier
            # replacement was refused) would stop every later update
            replace_on_type_change=True,
            image=IMAGE,
            root_volume=scaleway.instance.ServerRootVolumeArgs(size_in_gb=ROOT_GB, volume_type="sbs_volume"),
            additional_volume_ids=[self.volume.id],
            ip_id=self._network.address.id,
            security_group_id=self._network.firewall.id,
            private_networks=_private_networks(self._network),
            user_data={"cloud-init": user_data},
            state="started" if self._spec.running else "stopped",
            zone=self._context.zone,
            project_id=self._context.project,
            tags=self._context.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[stopped_before],
                # cloud-init works at a server's first boot alone: other user data needs another server,
                # and the old one must let go of address and volume first
                replace_on_changes=["userData"],
                delete_before_replace=True,
                additional_secret_outputs=["userData"],
            ),
        )


def _private_networks(network: Network) -> list[scaleway.instance.ServerPrivateNetworkArgs]:
    one = network.private
    return [scaleway.instance.ServerPrivateNetworkArgs(pn_id=one.id)] if one else []


def _bare(identity: str) -> str:
    return identity.rpartition("/")[2]


def _own_files(database: DatabaseAccess) -> pulumi.Output[dict[str, str]]:
    """What the server's own scripts need to reach a managed database."""
    if database.ca_certificate is None:
        return pulumi.Output.from_input({})
    return pulumi.Output.all(database.password, database.ca_certificate).apply(
        lambda given: {"pgpass": f"*:5432:*:{database.user}:{given[0]}\n", "database-ca.pem": given[1]}
    )


def _described(
    given: Given[ScalewaySpec],
    secrets: cvat.Secrets,
    host: str,
    database: DatabaseAccess,
    extra_services: tuple[Service, ...],
) -> dict[str, Service]:
    spec, admin = given.known, given.part(AdminSpec, "admin")
    settings = cvat.Settings(
        size=spec.size,
        registration=spec.registration,
        default_role=spec.default_role,
        hosts=(host, "localhost", "127.0.0.1", "cvat-server"),
        admin_username=admin.value("username"),
        admin_email=admin.value("email"),
        secrets=replace(secrets, database=database.password),
        https=_https(given.part(ScalewaySettings, "scaleway"), host),
        version=spec.cvat_version,
        star_banner=spec.star_banner,
        archived_mark=database.archived_mark,
        egress=spec.egress.allow,
    )
    described = {**{one.name: one for one in extra_services}, **cvat.services(settings)}
    if database.ca_certificate is None:
        return described
    certificate = File(CERTIFICATE, pulumi.Output.from_input(database.ca_certificate))
    return {name: _over_tls(one, certificate) for name, one in described.items()}


def _https(given: Given[ScalewaySettings], host: str) -> Https:
    settings = given.known
    return Https(
        host,
        settings.acme_directory or "",
        settings.acme_ca_certificate or "",
        settings.acme_email or "",
        settings.acme_after_lets_encrypt,
        _acme_account(given),
    )


def _acme_account(given: Given[ScalewaySettings]) -> pulumi.Input[str]:
    """The content of Caddy's file with the account at the authority, as a secret; empty without one."""
    return pulumi.Output.secret(given.map(_account_line)) if given.known.acme_eab_hmac else ""


def _account_line(settings: ScalewaySettings) -> str:
    key = settings.acme_eab_hmac
    return eab_line(settings.acme_eab_key_id or "", key.get_secret_value() if key else "")


def _over_tls(service: Service, certificate: File) -> Service:
    """Scaleway's database has a certificate of its own: libpq checks it."""
    if "CVAT_POSTGRES_HOST" not in service.environment:
        return service
    environment = {**service.environment, "PGSSLMODE": "verify-ca", "PGSSLROOTCERT": CERTIFICATE}
    return replace(service, environment=environment, files=(*service.files, certificate))


def _plain_files(services: dict[str, Service]) -> dict[str, str]:
    found = {}
    for service in services.values():
        for index, file in enumerate(service.files):
            if isinstance(file.content, str):
                where = file_path(service, index)
                found[where.removeprefix(f"{PLAIN_FILES}/")] = file.content
    return found


def _secret_files(services: dict[str, Service]) -> pulumi.Output[dict[str, str]]:
    contents = {
        file_path(service, index).removeprefix(f"{SECRET_FILES}/"): file.content
        for service in services.values()
        for index, file in enumerate(service.files)
        if not isinstance(file.content, str)
    }
    return pulumi.Output.all(**contents)


def _until_ready(spec: ScalewaySpec, server: str, url: str, address: str) -> str:
    """Ask from outside until every part of CVAT works; only an update that runs asks, no preview does."""
    patience = spec.scaleway.wait_minutes * 60
    if pulumi.runtime.is_dry_run() or not patience or not spec.running:
        return server
    last = _waited(url, address, _trust(spec), patience)
    if last:
        raise pulumi.RunError(
            f"{url} did not become ready in {spec.scaleway.wait_minutes} minutes (last: {last}). If a domain"
            f" is configured, its A record must lead to the workspace's address ({address}); the same command"
            " goes on waiting"
        )
    return server


def _waited(url: str, address: str, trust: ssl.SSLContext, patience: float) -> str:
    """Wait and log each new state once. Return the last problem, or empty text when CVAT is ready."""
    deadline, logged, failed, since = time.monotonic() + patience, set[str](), "", 0.0
    while problem := _problem(url, trust):
        step = _step(address)
        seen = f"the server {step}" if step else problem
        if seen.startswith(NO_CERTIFICATE):
            since = since or time.monotonic()
            if time.monotonic() - since > CERTIFICATE_SECONDS:
                seen = failed = f"{seen}: {_certificate_hint(url, address)}"
        if step.startswith("failed: "):
            failed = seen = f"the server says: {step}"
        if seen not in logged:
            (pulumi.log.warn if seen == failed else pulumi.log.info)(f"waits for {url}: {seen}")
            logged.add(seen)
        if time.monotonic() > deadline:
            return seen if failed in ("", seen) else f"{seen}; before, {failed}"
        time.sleep(PAUSE_SECONDS)
    return ""


def _certificate_hint(url: str, address: str) -> str:
    """The usual reasons; the limits are Let's Encrypt's."""
    host = url.removeprefix("https://")
    if host.endswith(".sslip.io"):
        return (
            "all names under sslip.io share one weekly limit of Let's Encrypt, which may be used up: set"
            " scaleway.domain to a name of yours, whose A record leads to the workspace's address"
        )
    return (
        f"the A record of {host} must lead to {address}; Let's Encrypt refuses a name for an hour after five"
        " failures, and a domain for days after 50 certificates in a week; with scaleway.acme_email, a second"
        " authority is asked"
    )


def _step(address: str) -> str:
    """The boot's current step; empty before the server answers and once CVAT's proxy has the port."""
    asked = http.client.HTTPConnection(address, timeout=5)
    try:
        asked.request("GET", cloud_init.STEP_PATH)
        answer = asked.getresponse()
        text = answer.read(LONGEST_STEP).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        asked.close()
    is_step = answer.status == HTTPStatus.OK and answer.headers.get_content_type() == "text/plain"
    return "".join(filter(str.isprintable, text)).strip() if is_step else ""


def _trust(spec: ScalewaySpec) -> ssl.SSLContext:
    """A custom certificate authority is unknown to this machine, so it is not checked; no secret is sent."""
    context = ssl.create_default_context()
    if spec.scaleway.acme_directory:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _problem(url: str, trust: ssl.SSLContext) -> str:
    """What does not work yet; empty when everything works."""
    try:
        health = f"{url}/api/server/health/?format=json"
        with urllib.request.urlopen(health, timeout=15, context=trust) as answer:  # noqa: S310
            parts = json.load(answer)
    except (OSError, ssl.SSLError, ValueError, urllib.error.URLError) as error:
        is_tls = isinstance(getattr(error, "reason", error), ssl.SSLError)
        return f"{NO_CERTIFICATE} ({error})" if is_tls else str(error)
    return "; ".join(f"{name}: {text}" for name, text in parts.items() if text != "working")

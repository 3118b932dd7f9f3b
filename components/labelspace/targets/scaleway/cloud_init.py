"""What the server does when it boots: cloud-init's user data and the compose file, from CVAT's description.

Nothing in it is secret but the key that IAM binds to the server's own address; with it the server fetches the
rest from Secret Manager into memory, at every boot.
"""

from __future__ import annotations

import base64
import bz2
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files
from typing import Any

import yaml

from labelspace.container_spec import Health, Service
from labelspace.cvat.config_files import DATABASE_PASSWORD
from labelspace.cvat.images import IMAGES
from labelspace.cvat.names import DATABASE_ALIAS, DATABASE_NAME, DATABASE_USER
from labelspace.naming import PART_LABEL, WORKSPACE_LABEL, resource_name
from labelspace.postgres import pgbackrest as postgres
from labelspace.targets.scaleway.bucket import SHARE

SHARE_INSIDE = "/home/django/share"
SECRET_FILES = "/run/labelspace/files"  # noqa: S105 - a path
PLAIN_FILES = "/etc/labelspace/files"
LONGEST_USER_DATA = 127_998
"""Characters (Scaleway's API)."""
PACKAGES = ("docker.io", "docker-compose-v2", "rclone", "fuse3", "nftables")
SCRIPTS = (
    *("labelspace-step", "labelspace-tell", "labelspace-prepare", "labelspace-secrets"),
    *("labelspace-up", "labelspace-check", "labelspace-postgres", "labelspace-restore", "labelspace-backup"),
)
DUMP_TIMERS = ("labelspace-dump.timer", "labelspace-drill.timer")
DUMP_UNITS = ("labelspace-dump.service", "labelspace-drill.service", *DUMP_TIMERS)
LIBRARY = "/usr/local/lib/labelspace"
"""Where the backup program is unpacked."""
BACKUP_SETTINGS = "/etc/labelspace/backup.json"
MOUNT = "mount"
MOUNT_OPTIONS = (
    *("--read-only", "--allow-other", "--uid 1000", "--gid 1000", "--dir-cache-time 1h"),
    *("--use-server-modtime", "--vfs-cache-mode full", "--vfs-cache-max-size 5G", "--attr-timeout 10m"),
    *("--contimeout 10s", "--timeout 60s", "--low-level-retries 3"),
)
"""How rclone mounts a bucket; ``bench/mount.py`` measures exactly these."""
STEP_PATH = "/labelspace-step"
"""Where the server tells over HTTP what it does, until CVAT's proxy takes the port (``labelspace-tell``)."""
CONTEXT = "/etc/labelspace/database-image.tar.bz2"
"""The recipe of the database's image; the backup program in it runs on the server, too."""
STOP_SECONDS = 30
"""What a container is given to end in order; databases need it."""
NO_STARTS = "/usr/sbin/policy-rc.d"
"""While it says 101, no package starts a service: Docker would wait for what is not installed yet."""

AUTHORIZED_KEYS = "/etc/labelspace/authorized_keys"
SSHD = f"""\
PasswordAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile .ssh/authorized_keys {AUTHORIZED_KEYS}
"""


@dataclass(frozen=True)
class BootConfig:
    """All that a server must know before it can ask anybody."""

    workspace: str
    services: Mapping[str, Service]
    """Secret contents are left out by ``compose``: their places are known, not what is in them."""
    plain_files: Mapping[str, str]
    """Path under ``PLAIN_FILES`` -> content that anybody may read."""
    region: str
    access_key: str
    secret_key: str
    secret_id: str
    database_host: str
    """Where the database is, unless it is one of the services."""
    disk: str
    buckets: tuple[str, ...]
    backup_bucket: str
    endpoint: str
    ssh_public_key: str = ""
    """The public key that opens the server to its admins, beside those of the project."""
    drill_interval_days: int = 7
    """0: dumps are drilled by hand alone."""
    api: str = "https://api.scaleway.com"

    @property
    def inside(self) -> bool:
        """Whether the database is one of the services."""
        return "database" in self.services


def file_path(service: Service, index: int) -> str:
    """Where the server keeps a file of a container, below ``SECRET_FILES`` or ``PLAIN_FILES``.

    What anybody may read goes by its content: CVAT's containers share most of it, and user data has a limit.
    """
    file = service.files[index]
    name = file.path.rsplit("/", 1)[-1]
    if isinstance(file.content, str):
        return f"{PLAIN_FILES}/{hashlib.sha256(file.content.encode()).hexdigest()[:8]}-{name}"
    return f"{SECRET_FILES}/{service.name}/{index}-{name}"


def user_data(boot: BootConfig) -> str:
    """The cloud-config; raises ``ValueError`` when it is longer than Scaleway takes."""
    config = {
        "write_files": _write_files(boot),
        "runcmd": _commands(boot),
    }
    text = "#cloud-config\n" + yaml.dump(config, Dumper=_Readable, sort_keys=False, width=4096)
    if len(text) > LONGEST_USER_DATA:
        raise ValueError(f"user data has {len(text)} characters, {LONGEST_USER_DATA} are the limit")
    return text


def _write_files(boot: BootConfig) -> list[dict[str, str]]:
    plain = {f"{PLAIN_FILES}/{path}": text for path, text in boot.plain_files.items()}
    units = {name: text for name, text in UNITS.items() if not (boot.inside and name in DUMP_UNITS)}
    return [
        _file("/etc/labelspace/boot.env", _environment(boot), "0600"),
        _file("/etc/labelspace/compose.yaml", compose(boot), "0600"),
        _file("/etc/docker/daemon.json", '{"data-root": "/var/lib/labelspace/docker"}\n'),
        _file(NO_STARTS, "#!/bin/sh\nexit 101\n", "0755"),
        *_door(boot),
        *(_file(path, text) for path, text in plain.items()),
        _packed(CONTEXT, postgres.context_tar()),
        _file(BACKUP_SETTINGS, json.dumps(_backup_settings(boot)) + "\n"),
        *(_file(f"/usr/local/sbin/{name}", script(name), "0755") for name in SCRIPTS),
        *(_file(f"/etc/systemd/system/{name}", text) for name, text in units.items()),
    ]


def _packed(path: str, archive: bytes) -> dict[str, str]:
    """User data has a limit; bzip2's output is the same on every machine."""
    return {**_file(path, base64.b64encode(bz2.compress(archive)).decode()), "encoding": "b64"}


def _backup_settings(boot: BootConfig) -> dict[str, object]:
    """As ``labelspace_backup.settings`` reads them, for the logical engine."""
    return {
        "engine": "logical",
        "user": DATABASE_USER,
        "database": DATABASE_NAME,
        "drill_interval_days": boot.drill_interval_days,
        "bucket": boot.backup_bucket,
        "scratch_image": IMAGES["postgres"],
    }


def _door(boot: BootConfig) -> list[dict[str, str]]:
    """SSH by the workspace's own key; who gets as far as the port is the firewall's."""
    if not boot.ssh_public_key:
        return []
    return [
        _file(AUTHORIZED_KEYS, f"{boot.ssh_public_key}\n"),
        _file("/etc/ssh/sshd_config.d/10-labelspace.conf", SSHD),
    ]


def _file(path: str, content: str, permissions: str = "0644") -> dict[str, str]:
    return {"path": path, "permissions": permissions, "content": content}


def _environment(boot: BootConfig) -> str:
    values = {
        "API": boot.api,
        "S3": boot.endpoint,
        "REGION": boot.region,
        "ACCESS_KEY": boot.access_key,
        "SECRET_KEY": boot.secret_key,
        "SECRET_ID": boot.secret_id,
        "WORKSPACE": boot.workspace,
        "VOLUMES": _volumes(boot),
        "DATABASE_HOST": "" if boot.inside else boot.database_host,
        "DATABASE_IMAGE": boot.services["database"].image if boot.inside else "",
        "DISK": boot.disk,
        "BACKUP_BUCKET": boot.backup_bucket,
        "POSTGRES_IMAGE": IMAGES["postgres"],
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())


def _commands(boot: BootConfig) -> list[str]:
    """cloud-init tries to install packages once; here it is tried until it works, and told meanwhile."""
    shares = " ".join(f"labelspace-share@{name}.service" for name in boot.buckets)
    started = ("labelspace.service", *(f"labelspace-{name}.timer" for name in _timers(boot)))
    keep = "-o Dpkg::Options::=--force-confold"  # nobody is there to be asked about a file of settings
    install = f"DEBIAN_FRONTEND=noninteractive apt-get install -y {keep} {' '.join(PACKAGES)}"
    return [
        "labelspace-step 'installs Docker'",
        "systemctl daemon-reload",
        "systemctl start labelspace-tell.service",
        "apt-get update",
        f"until {install}; do sleep 10; apt-get update; done",
        f"rm -f {NO_STARTS}",
        f"python3 -m tarfile --extract {CONTEXT} {LIBRARY}",
        *(["systemctl try-restart ssh.service"] if boot.ssh_public_key else []),
        "systemctl enable labelspace-prepare.service docker.service",
        "systemctl restart docker.service",
        f"systemctl enable --now {shares}",
        f"systemctl enable --now --no-block {' '.join(started)}",
    ]


def _timers(boot: BootConfig) -> list[str]:
    """A database on the server keeps its own time."""
    dumps = [] if boot.inside else ["dump", *(["drill"] if boot.drill_interval_days else [])]
    return [*dumps, "check"]


def script(name: str) -> str:
    """The text of a script that runs on the server."""
    return package_files("labelspace.targets.scaleway").joinpath("server_files", name).read_text()


UNITS = {
    "labelspace-tell.service": """\
[Unit]
Description=Tells the step of the boot on port 80, until the proxy of CVAT takes it
[Service]
ExecStart=/usr/bin/python3 -I /usr/local/sbin/labelspace-tell
# all that it can read of the workspace; opened before it becomes nobody in particular
StandardInput=file:/run/labelspace/step
StandardOutput=journal
DynamicUser=yes
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateDevices=yes
ProtectProc=invisible
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
InaccessiblePaths=-/run/labelspace -/etc/labelspace -/var/lib/labelspace
RestrictAddressFamilies=AF_INET
RestrictNamespaces=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallFilter=@system-service
MemoryMax=64M
TasksMax=32
Restart=on-failure
""",
    "labelspace-prepare.service": """\
[Unit]
Description=Data volume, secrets and firewall of the labeling workspace
Wants=network-online.target
After=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
# what waits for this is not started again when it fails: it does not fail
ExecStart=/bin/sh -c 'until /usr/local/sbin/labelspace-prepare; do sleep 5; done'
StandardOutput=journal+console
[Install]
WantedBy=multi-user.target
""",
    "docker.service.d/labelspace.conf": """\
[Unit]
Requires=labelspace-prepare.service
After=labelspace-prepare.service
""",
    "labelspace-share@.service": f"""\
[Unit]
Description=Dataset bucket %i
Requires=labelspace-prepare.service
After=labelspace-prepare.service
# Docker starts what ran before by itself
Before=docker.service labelspace.service
StartLimitIntervalSec=0
[Service]
Type=notify
TimeoutStartSec=60
StandardOutput=journal+console
ExecStartPre=-/bin/fusermount3 -u -z {SHARE}/%i
ExecStartPre=/bin/mkdir -p {SHARE}/%i
ExecStart=/usr/bin/rclone {MOUNT} storage:%i {SHARE}/%i --config /run/labelspace/rclone.conf \\
    --cache-dir /var/lib/labelspace/rclone {" ".join(MOUNT_OPTIONS)}
ExecStopPost=-/bin/fusermount3 -u -z {SHARE}/%i
Restart=always
RestartSec=5
[Install]
WantedBy=multi-user.target
""",
    "labelspace.service": """\
[Unit]
Description=CVAT of the labeling workspace
Requires=docker.service
After=docker.service
StartLimitIntervalSec=0
[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
ExecStart=/usr/local/sbin/labelspace-up
StandardOutput=journal+console
Restart=on-failure
RestartSec=15
[Install]
WantedBy=multi-user.target
""",
    "labelspace-dump.service": """\
[Unit]
Description=Dump of the annotations
Requires=docker.service
After=labelspace.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/labelspace-backup backup
StandardOutput=journal+console
""",
    "labelspace-dump.timer": """\
[Unit]
Description=Dump of the annotations, every hour
[Timer]
OnCalendar=hourly
RandomizedDelaySec=300
Persistent=true
[Install]
WantedBy=timers.target
""",
    "labelspace-drill.service": """\
[Unit]
Description=Drill of a dump of the annotations
Requires=docker.service
After=labelspace.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/labelspace-backup drill-when-due
StandardOutput=journal+console
""",
    "labelspace-drill.timer": """\
[Unit]
Description=Every hour: a drill when one is due
[Timer]
OnCalendar=hourly
RandomizedDelaySec=1800
Persistent=true
[Install]
WantedBy=timers.target
""",
    "labelspace-check.service": """\
[Unit]
Description=Are the buckets there, are the annotations copied, and was a dump proven
After=labelspace.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/labelspace-check
StandardOutput=journal+console
""",
    "labelspace-check.timer": """\
[Unit]
Description=A look at buckets, copies and drills, every five minutes
[Timer]
OnBootSec=5min
OnUnitActiveSec=5min
[Install]
WantedBy=timers.target
""",
}


def compose(boot: BootConfig) -> str:
    """The compose file: every container as described, secrets bound in from memory."""
    volumes = sorted({name for service in boot.services.values() for name in service.volumes})
    document = {
        "name": "labelspace",
        "services": {name: _service(one, boot) for name, one in boot.services.items()},
        "volumes": {name: _volume(boot, name) for name in volumes},
    }
    return yaml.dump(document, Dumper=_Readable, sort_keys=False, width=4096)


def _volume(boot: BootConfig, name: str) -> dict[str, Any]:
    labels = {"labels": _labels(boot, name)} if boot.inside else {}
    return {"name": f"{_volumes(boot)}-{name}", **labels}


def _volumes(boot: BootConfig) -> str:
    """How their names begin; with a managed database they had others before, and keep them."""
    return f"labelspace-{boot.workspace}" if boot.inside else "labelspace"


def _labels(boot: BootConfig, part: str) -> dict[str, str]:
    return {WORKSPACE_LABEL: boot.workspace, PART_LABEL: part}


def _service(service: Service, boot: BootConfig) -> dict[str, Any]:
    values: dict[str, Any] = {
        "container_name": resource_name(boot.workspace, service.name),
        "labels": _labels(boot, service.name),
        "image": service.image,
        "entrypoint": [_literal(word) for word in service.entrypoint],
        "command": [_literal(word) for word in service.command],
        "environment": {key: _literal(value) for key, value in sorted(service.environment.items())},
        "user": service.user,
        "mem_limit": f"{service.memory}m",
        "memswap_limit": f"{service.memory}m",
        "volumes": _mounts(service),
        "networks": {"default": {"aliases": list(service.aliases)}} if service.aliases else None,
        "extra_hosts": _hosts(service, boot),
        "ports": [f"{outside}:{inside}" for inside, outside in _ports(service)],
        "healthcheck": _health(service.health),
        "cap_drop": ["ALL"],
        "cap_add": list(service.capabilities),
        "security_opt": ["no-new-privileges:true"],
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        "depends_on": _after(service),
        "init": True,
        "stop_grace_period": f"{STOP_SECONDS}s",
        "restart": service.restart,
    }
    return {key: value for key, value in values.items() if value not in (None, [], {})}


def _literal(text: str) -> str:
    """Compose reads a dollar as the start of a variable."""
    return text.replace("$", "$$")


def _needs_database(service: Service) -> bool:
    return service.name != "database" and any(file.path == DATABASE_PASSWORD for file in service.files)


def _hosts(service: Service, boot: BootConfig) -> list[str] | None:
    if boot.inside or not _needs_database(service):
        return None
    return [f"{DATABASE_ALIAS}:{boot.database_host}"]


def _after(service: Service) -> dict[str, Any] | None:
    if not _needs_database(service) or service.name == "init":
        return None
    return {"init": {"condition": "service_completed_successfully"}}


def _ports(service: Service) -> list[tuple[int, int]]:
    if service.name == "proxy":
        return [(80, 80), (443, 443)]
    return [service.publishes] if service.publishes else []


def _mounts(service: Service) -> list[dict[str, Any]]:
    writable = [{"type": "volume", "source": name, "target": path} for name, path in service.volumes.items()]
    readable = [
        {"type": "volume", "source": name, "target": path, "read_only": True}
        for name, path in service.reads.items()
    ]
    given = [_bind(file_path(service, index), file.path) for index, file in enumerate(service.files)]
    share = [_bind(SHARE, SHARE_INSIDE, propagation="rslave")] if service.mounts_share else []
    of_host = [_bind(path, inside) for path, inside in service.host_files.items()]
    return [*writable, *readable, *given, *share, *of_host]


def _bind(source: str, target: str, **options: Any) -> dict[str, Any]:
    """A source that is not there must fail, not become a folder."""
    bind = {"create_host_path": False, **options}
    return {"type": "bind", "source": source, "target": target, "read_only": True, "bind": bind}


def _health(health: Health | None) -> dict[str, Any] | None:
    if health is None:
        return None
    return {
        "test": [_literal(word) for word in health.command],
        "interval": f"{health.interval}s",
        "timeout": f"{health.timeout}s",
        "retries": health.retries,
        "start_period": f"{health.start_period}s",
    }


class _Readable(yaml.SafeDumper):
    """Texts of several lines as blocks; no anchors."""

    def ignore_aliases(self, _: Any) -> bool:
        """Repeat a value rather than point at it."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)

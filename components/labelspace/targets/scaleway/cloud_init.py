"""cloud-init's user data: the files that the server gets, and the commands of its first boot.

Its only secret is an API key that IAM accepts from the server's own address alone. At every boot the server
uses the key to read all other secrets from Secret Manager into memory.
"""

from __future__ import annotations

import base64
import bz2
import json
from importlib.resources import files as package_files

from labelspace.cvat.images import IMAGES
from labelspace.cvat.names import DATABASE_NAME, DATABASE_USER
from labelspace.postgres import pgbackrest as postgres
from labelspace.spec.scaleway import DOCKER_RANGE
from labelspace.targets.scaleway.boot_config import PLAIN_FILES, BootConfig, account_fingerprint, fingerprint
from labelspace.targets.scaleway.compose import compose, dump_yaml
from labelspace.targets.scaleway.systemd import share_units, started_units, units

MAX_USER_DATA = 127_998
"""Characters of user data that Scaleway's API accepts."""
PACKAGES = ("docker.io", "docker-compose-v2", "rclone", "fuse3", "nftables")
SCRIPTS = (
    *("labelspace-step", "labelspace-tell", "labelspace-prepare", "labelspace-secrets"),
    *("labelspace-up", "labelspace-check", "labelspace-postgres", "labelspace-restore", "labelspace-backup"),
)
LIBRARY = "/usr/local/lib/labelspace"
"""Where the backup program is unpacked."""
DATABASE_CERTIFICATE = "DATABASE_CERTIFICATE"
"""Name of the line of ``boot.env`` with the fingerprint of the database's certificate."""
BACKUP_SETTINGS = "/etc/labelspace/backup.json"
STEP_PATH = "/labelspace-step"
"""HTTP path of the boot's step, which ``labelspace-tell`` serves on port 80 until CVAT's proxy starts."""
IMAGE_CONTEXT = "/etc/labelspace/database-image.tar.bz2"
"""The build context of the database's image; the backup program in it runs on the server, too."""
DOCKER = {
    "data-root": "/var/lib/labelspace/docker",
    "default-address-pools": [{"base": str(DOCKER_RANGE), "size": 24}],
    "features": {"containerd-snapshotter": False},
}
"""The settings of Docker's daemon: data on the data volume, networks apart from the private network.

containerd's image store, Docker 29's default, would keep images outside of ``data-root`` (Docker's page on
that store).
"""
UPGRADES = """\
Unattended-Upgrade::Automatic-Reboot "true";
Unattended-Upgrade::Automatic-Reboot-Time "03:30";
"""
"""Ubuntu applies security updates by itself; a new kernel needs a reboot, in UTC (Ubuntu's Server guide)."""
START_POLICY = "/usr/sbin/policy-rc.d"
"""A script that exits with 101, so that packages start no services: Docker needs units of a later step."""

AUTHORIZED_KEYS = "/etc/labelspace/authorized_keys"
SSHD = f"""\
PasswordAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile .ssh/authorized_keys {AUTHORIZED_KEYS}
"""


def user_data(boot: BootConfig) -> str:
    """The cloud-config as YAML; raises ``ValueError`` when it is longer than ``MAX_USER_DATA``."""
    config = {
        "write_files": _write_files(boot),
        "runcmd": _commands(boot),
    }
    text = "#cloud-config\n" + dump_yaml(config)
    if len(text) > MAX_USER_DATA:
        raise ValueError(f"user data has {len(text)} characters, {MAX_USER_DATA} are the limit")
    return text


def _write_files(boot: BootConfig) -> list[dict[str, str]]:
    plain = {f"{PLAIN_FILES}/{path}": text for path, text in boot.plain_files.items()}
    return [
        _file("/etc/labelspace/boot.env", _environment(boot), "0600"),
        _file("/etc/labelspace/compose.yaml", compose(boot), "0600"),
        _file("/etc/docker/daemon.json", json.dumps(DOCKER) + "\n"),
        _file("/etc/apt/apt.conf.d/60labelspace", UPGRADES),
        _file(START_POLICY, "#!/bin/sh\nexit 101\n", "0755"),
        *_ssh_files(boot),
        *(_file(path, text) for path, text in plain.items()),
        _image_context(),
        _file(BACKUP_SETTINGS, json.dumps(_backup_settings(boot)) + "\n"),
        *(_file(f"/usr/local/sbin/{name}", script(name), "0755") for name in SCRIPTS),
        *(_file(f"/etc/systemd/system/{name}", text) for name, text in units(boot).items()),
    ]


def _image_context() -> dict[str, str]:
    """The database's build context, compressed because user data has a limit.

    bzip2 writes the same bytes on every machine, so the user data does not change with the machine.
    """
    packed = base64.b64encode(bz2.compress(postgres.context_tar())).decode()
    return {**_file(IMAGE_CONTEXT, packed), "encoding": "b64"}


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


def _ssh_files(boot: BootConfig) -> list[dict[str, str]]:
    """Settings of SSH for the workspace's own key. The firewall decides which addresses reach the port."""
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
        "VOLUMES": boot.volume_prefix,
        "DATABASE_HOST": "" if boot.has_own_database else boot.database_host,
        DATABASE_CERTIFICATE: "" if boot.has_own_database else fingerprint(boot.database_certificate),
        "DATABASE_IMAGE": boot.services["database"].image if boot.has_own_database else "",
        "DISK": boot.disk,
        "BACKUP_BUCKET": boot.backup_bucket,
        "POSTGRES_IMAGE": IMAGES["postgres"],
    }
    if boot.acme_account:
        values["ACME_ACCOUNT"] = account_fingerprint(boot)
    return "".join(f"{key}={value}\n" for key, value in values.items())


def _commands(boot: BootConfig) -> list[str]:
    """Commands of the first boot. They install packages until it works; cloud-init itself tries once."""
    keep = "-o Dpkg::Options::=--force-confold"  # do not ask about changed configuration files
    install = f"DEBIAN_FRONTEND=noninteractive apt-get install -y {keep} {' '.join(PACKAGES)}"
    return [
        "labelspace-step 'installs Docker'",
        "systemctl daemon-reload",
        "systemctl start labelspace-tell.service",
        "apt-get update",
        f"until {install}; do sleep 10; apt-get update; done",
        f"rm -f {START_POLICY}",
        f"python3 -m tarfile --extract {IMAGE_CONTEXT} {LIBRARY}",
        *(["systemctl try-restart ssh.service"] if boot.ssh_public_key else []),
        "systemctl enable labelspace-prepare.service docker.service",
        "systemctl restart docker.service",
        f"systemctl enable --now {' '.join(share_units(boot))}",
        f"systemctl enable --now --no-block {' '.join(started_units(boot))}",
    ]


def script(name: str) -> str:
    """The text of a script that runs on the server."""
    return package_files("labelspace.targets.scaleway").joinpath("server_files", name).read_text()

"""A server at Scaleway, booted: the double of an Instance on a network with all that its boot script reaches.

Its user data is the very text that ``pulumi up`` handed to the API's double. What it finds under Scaleway's
names: that double (``api.scaleway.com``), versitygw (``s3.fr-par.scw.cloud``), PostgreSQL that takes TLS
alone, a certificate authority that speaks ACME, and somebody at the metadata addresses.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import re
import secrets
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import httpx
from docker.types import IPAMConfig, IPAMPool, Mount
from pydantic import TypeAdapter
from testbed import images
from testbed.inside import inside
from testbed.scaleway_api.app import running
from tests.authority import Authority
from tests.e2e.cloud import KEY, Account, account
from tests.e2e.lab import BIN, Visitor
from tests.paths import ROOT

from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace.targets.scaleway.cloud_init import STEP_PATH
from labelspace_ops.runtime.docker_engine import tar_files
from labelspace_ops.targets.scaleway import ssh as server_ssh
from labelspace_ops.workspaces import models

DOMAIN = "labels.example.org"
BUCKET = "street"
DISK_BYTES = 12 * 10**9
DISK_FILE = "labelspace-machine.img"  # the name by which a leftover loop device is recognised
API, S3 = "api.scaleway.com", "s3.fr-par.scw.cloud"
METADATA, RESOLVER = "169.254.42.42", "169.254.169.254"
REPOSITORY = "/opt/repository"
"""Where the double's packages come from (``testbed/instance``)."""
LAST = {"database": 2, "server": 3, "storage": 4, "acme": 5, "metadata": 6}
"""The last number of each address; the API's double gives out the first two itself."""

AS_A_MACHINE: dict[str, Any] = {
    "cap_add": [
        "SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "SYS_BOOT", "SYS_NICE", "DAC_READ_SEARCH", "IPC_LOCK",
        "LEASE", "SYSLOG", "LINUX_IMMUTABLE",
    ],
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
    "device_cgroup_rules": ["a *:* rwm"],
    "cgroupns": "private",
}  # fmt: skip
"""What ``privileged`` would give and the machine needs; an engine without every right cannot give all."""
PATIENCE_SECONDS = 600
"""A first boot installs packages and loads images; others may want the same two cores."""


def until(true: Callable[[], bool], what: str) -> None:
    """Wait until something is true; asking costs the server something, so not too often."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(1)


@dataclass
class Machine:
    """The server and its surroundings; each of ``parts`` is a container."""

    account: Account
    folder: Path
    network: Any
    subnet: ipaddress.IPv4Network
    authority: Authority
    database_authority: Authority
    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    """The workspace's settings; ``scaleway`` is merged with those that every server has."""
    parts: dict[str, Any] = field(default_factory=dict)
    replaced: Any = None
    left_running: str = ""
    """The containers that still ran on the replaced server when the update ended."""
    first_step: str = ""
    """The boot step that the replaced server reported while no package could be installed."""

    def address(self, part: str) -> str:
        return str(self.subnet[LAST[part]])

    @property
    def has_database(self) -> bool:
        """Whether the database is on the server itself."""
        return bool(self.settings.get("scaleway", {}).get("database") == "server")

    @property
    def user_data(self) -> str:
        return str(self.account.only("instance_server")["_user_data"]["cloud-init"])

    @cached_property
    def secret_files(self) -> dict[str, str]:
        return dict(json.loads(base64.b64decode(self.account.only("secret")["_versions"][-1]["_data"])))

    @cached_property
    def outputs(self) -> dict[str, Any]:
        return self.account.outputs()

    def setting(self, key: str) -> str:
        """A line of the server's settings in its user data."""
        found = re.search(rf"^ *{key}=(.+)$", self.user_data, re.MULTILINE)
        assert found
        return found[1]

    def inside(self, *command: str) -> str:
        """What a command says on the server, which must succeed."""
        code, said = inside(self.parts["server"], list(command))
        assert code == 0, (command, said.decode(errors="replace"))
        return said.decode()

    def labelspace(self, command: str, *arguments: str) -> Any:
        """The JSON of a command on the workspace, as an admin runs it."""
        words = [str(BIN / "labelspace"), command, self.account.name, *arguments, "--json"]
        done = subprocess.run(
            words, env=self.account.env(), capture_output=True, text=True, check=False, cwd=ROOT
        )
        assert done.returncode == 0, done.stdout + done.stderr
        TypeAdapter(models.PRINTED[command]).validate_json(done.stdout)
        return json.loads(done.stdout)

    def succeeds(self, *command: str) -> bool:
        return bool(self.parts["server"].exec_run(list(command)).exit_code == 0)

    def step(self) -> str:
        """What the boot script says it does."""
        code, said = inside(self.parts["server"], ["cat", "/run/labelspace/step"])
        return said.decode().strip() if code == 0 else ""

    def boot_answer(self, path: str = STEP_PATH) -> tuple[int, str]:
        """Status code and text of the answer on port 80."""
        answer = httpx.get(f"http://{self.address('server')}{path}", timeout=20)
        return answer.status_code, answer.text.strip()

    def load(self, *names: str) -> None:
        """Images of this machine's engine, as if the server had fetched them."""
        subprocess.run(
            ["docker", "save", "--output", str(self.folder / "machine/more.tar"), *names], check=True
        )
        self.inside("docker", "load", "--input", "/machine/more.tar")
        self.inside("rm", "/machine/more.tar")

    def container(self, part: str) -> str:
        """The id of one of CVAT's containers."""
        compose = [
            "docker",
            "compose",
            "--file",
            "/etc/labelspace/compose.yaml",
            "ps",
            "--all",
            "--quiet",
            part,
        ]
        return self.inside(*compose).strip()

    def visitor(self) -> Visitor:
        """Somebody at the URL, whose browser knows the authority."""
        return Visitor(f"https://{DOMAIN}", transport=_ToServer(self.address("server"), self.trust()))

    def trust(self) -> ssl.SSLContext:
        """The root that the ACME authority made for itself when it started."""
        own = ssl.create_default_context(cadata=self.authority.pem)
        root = httpx.get(f"https://{self.address('acme')}:15000/roots/0", verify=own).text
        return ssl.create_default_context(cadata=root)

    def healthy(self) -> bool:
        """The URL answers, every part of CVAT works."""
        visitor = self.visitor()
        try:
            answer = visitor.get("/api/server/health/?format=json")
            parts = answer.json()
        except (httpx.HTTPError, ValueError):
            return False
        finally:
            visitor.http.close()
        return answer.status_code == 200 and set(parts.values()) == {"working"}

    def reboot(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Down in order, then ``meanwhile``, then up again: what was in memory is gone."""
        self.parts["server"].stop(timeout=90)
        meanwhile()
        self.parts["server"].start()

    def replace(self, **changes: Any) -> None:
        """Other settings, and so another server, for whom packages cannot be had at first; the disk stays."""
        _configure(self, **changes)
        self.account.up()
        self.replaced = self.parts.pop("server")
        self.left_running = inside(self.replaced, ["docker", "ps", "--format", "{{ .Names }}"])[1].decode()
        self.replaced.remove(force=True, v=True)
        _power_on(self)
        self.inside("mv", REPOSITORY, f"{REPOSITORY}-away")
        until(lambda: "Unable to locate package" in self.said_at_boot(), "packages cannot be had")
        self.first_step = self.boot_answer()[1]
        self.inside("mv", f"{REPOSITORY}-away", REPOSITORY)

    def said_at_boot(self) -> str:
        """What cloud-init and its commands printed so far."""
        return self.inside("sh", "-c", "cat /var/log/cloud-init-output.log 2>/dev/null || true")


class _ToServer(httpx.HTTPTransport):
    """Looks the workspace's name up as its A record would say."""

    def __init__(self, address: str, trust: ssl.SSLContext) -> None:
        super().__init__(verify=trust)
        self.address = address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = httpx.Request(
            request.method,
            request.url.copy_with(host=self.address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return super().handle_request(sent)


@contextmanager
def machine(
    folder: Path, make: Callable[[Account], object] = Account.up, **settings: Any
) -> Iterator[Machine]:
    """A workspace made on the API's double, its server booting; a managed database is not there yet.

    ``make``: how it is made.
    """
    name = f"labelspace-test-boot-{secrets.token_hex(3)}"
    with ExitStack() as stack:
        network, subnet = _network(name)
        stack.callback(network.remove)
        own, databases = Authority.new(folder / "own"), Authority.new(folder / "databases")
        one = stack.enter_context(account(folder / "account", f"b{name[-6:]}", Home.find().tools))
        one.cloud.add("access_key", dict(KEY), "access_key")
        made = Machine(one, folder, network, subnet, own, databases, name, settings)
        certificate = own.sign("api", f"DNS:{API}")
        stack.enter_context(running(one.cloud, str(subnet[1]), 443, certificate))
        one.cloud.database_authority = databases.pem
        one.cloud.addresses = [made.address("server")]
        _configure(made)
        make(one)
        stack.callback(_release, made)
        _surround(made)
        _power_on(made)
        yield made


def _network(name: str) -> tuple[Any, ipaddress.IPv4Network]:
    """A network of the test's own, with the addresses that the workspace's private network has."""
    while True:
        subnet = ipaddress.IPv4Network(f"10.{100 + secrets.randbelow(100)}.{secrets.randbelow(256)}.0/24")
        pool = IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))
        try:
            made = docker.from_env().networks.create(name, ipam=IPAMConfig(pool_configs=[pool]))
        except docker.errors.APIError as error:
            if "overlap" not in str(error):
                raise
            continue
        return made, subnet


def _configure(made: Machine, **changes: Any) -> None:
    given = {**made.settings, **changes}
    made.account.configure(
        **{key: value for key, value in given.items() if key != "scaleway"},
        scaleway={
            **given.get("scaleway", {}),
            **({} if made.has_database else {"subnet_cidr": str(made.subnet)}),
            "domain": DOMAIN,
            "acme_directory": f"https://{made.address('acme')}:14000/dir",
            "acme_ca_certificate": made.authority.pem,
            "ssh_cidrs": [str(made.subnet)],
            "ssh_public_key": server_ssh.public_key(made.account.name, made.account.home),
        },
    )


def _surround(made: Machine) -> None:
    """Everything but the server; the database is made and not started."""
    if not made.has_database:
        _database(made)
    _storage(made)
    _acme(made)
    _metadata(made)
    for part in ("storage", "acme", "metadata"):
        made.parts[part].start()


def _create(made: Machine, part: str, image: str, files: dict[str, str] | None = None, **options: Any) -> Any:
    aliases = options.pop("aliases", [])
    client = docker.from_env()
    endpoint = client.api.create_endpoint_config(ipv4_address=made.address(part), aliases=aliases)
    one = client.containers.create(
        image,
        name=f"{made.name}-{part}",
        network=made.network.name,
        networking_config={made.network.name: endpoint},
        **options,
    )
    made.parts[part] = one
    if files:
        one.put_archive("/", tar_files(files))
    return one


_PREPARE_DATABASE = """\
CREATE ROLE cvat LOGIN PASSWORD '{password}';
CREATE DATABASE cvat;
GRANT ALL ON DATABASE cvat TO cvat;
\\connect cvat
GRANT ALL ON SCHEMA public TO cvat;
"""
"""As Scaleway does for a database, a user and the privilege ``all``: the user owns neither."""
_START_DATABASE = """\
install -o postgres -m 600 /tls/key.pem /tls/own.pem
exec docker-entrypoint.sh postgres -c ssl=on -c ssl_cert_file=/tls/cert.pem -c ssl_key_file=/tls/own.pem \
    -c hba_file=/tls/hba.conf
"""


def _database(made: Machine) -> None:
    pem, key = made.database_authority.sign("database", f"IP:{made.address('database')}")
    password = made.secret_files["pgpass"].strip().rpartition(":")[2]
    files = {
        "/tls/cert.pem": pem.read_text(),
        "/tls/key.pem": key.read_text(),
        "/tls/hba.conf": "local all all trust\nhostssl all all all scram-sha-256\n",
        "/docker-entrypoint-initdb.d/cvat.sql": _PREPARE_DATABASE.format(password=password),
    }
    environment = {"POSTGRES_USER": "labelspace", "POSTGRES_PASSWORD": secrets.token_hex(16)}
    _create(
        made,
        "database",
        IMAGES["postgres"],
        files,
        environment=environment,
        command=["bash", "-c", _START_DATABASE],
    )


def _storage(made: Machine) -> None:
    """The buckets that the stack made, and three objects."""
    buckets = list(made.account.cloud.all("bucket"))
    pem, key = made.authority.sign("storage", f"DNS:{S3}", f"DNS:*.{S3}")
    files = {
        "/tls/cert.pem": pem.read_text(),
        "/tls/key.pem": key.read_text(),
        **{f"/buckets/{name}/.keep": "" for name in buckets},
        **{
            f"/buckets/{BUCKET}/{name}": "not an image\n"
            for name in ("a.txt", "night shots/b.txt", "größe/c.txt")
        },
    }
    keys = {"ROOT_ACCESS_KEY": made.setting("ACCESS_KEY"), "ROOT_SECRET_KEY": made.setting("SECRET_KEY")}
    options = f"--quiet --region fr-par --virtual-domain {S3} --cert /tls/cert.pem --key /tls/key.pem"
    serve = f"exec versitygw {options} --port :443 posix --sidecar /side /buckets"
    command = ["sh", "-c", f"mkdir -p /side && rm -f /buckets/*/.keep && {serve}"]
    names = [S3, *(f"{bucket}.{S3}" for bucket in buckets)]
    image = IMAGES["versitygw"]
    _create(made, "storage", image, files, environment=keys, aliases=names, entrypoint=command)


def _acme(made: Machine) -> None:
    pem, key = made.authority.sign("acme", f"IP:{made.address('acme')}")
    settings = {
        "listenAddress": "0.0.0.0:14000",
        "managementListenAddress": "0.0.0.0:15000",
        "certificate": "/tls/cert.pem",
        "privateKey": "/tls/key.pem",
        "httpPort": 80,
        "tlsPort": 443,
    }
    files = {
        "/tls/cert.pem": pem.read_text(),
        "/tls/key.pem": key.read_text(),
        "/etc/pebble.json": json.dumps({"pebble": settings}),
    }
    _create(made, "acme", images.PEBBLE, files)


def _metadata(made: Machine) -> None:
    """Somebody who would tell what the server alone may know."""
    addresses = " && ".join(f"ip address add {one}/32 dev eth0" for one in (METADATA, RESOLVER))
    serve = "echo user_data >/srv/conf && exec python3 -m http.server --directory /srv 80"
    _create(
        made, "metadata", images.INSTANCE, entrypoint=["sh", "-c"], command=[f"{addresses} && {serve}"],
        cap_add=["NET_ADMIN"], tmpfs={"/srv": ""},
    )  # fmt: skip


def _power_on(made: Machine) -> None:
    """The seed is what a server reads of its user data; the disk is blank at first."""
    own, seed = made.folder / "machine", made.folder / "seed"
    disk, identity = own / DISK_FILE, made.account.only("instance_server")["id"]
    for folder in (own, seed):
        folder.mkdir(exist_ok=True)
    (seed / "user-data").write_text(made.user_data)
    (seed / "meta-data").write_text(f"instance-id: {identity}\nlocal-hostname: {made.name}\n")
    (own / "authority.pem").write_text(made.authority.pem)
    if not disk.exists():
        disk.touch()
        os.truncate(disk, DISK_BYTES)
    saved = images.saved_with_database if made.has_database else images.saved_images
    mounts = [
        Mount("/machine", str(own), type="bind"),
        Mount("/images.tar", str(saved(Home.find())), type="bind", read_only=True),
        Mount("/var/lib/cloud/seed/nocloud", str(seed), type="bind", read_only=True),
    ]
    _create(
        made, "server", images.INSTANCE, **AS_A_MACHINE, mounts=mounts, hostname=made.name, aliases=[DOMAIN],
        tmpfs={"/run": "exec,mode=755", "/run/lock": ""}, extra_hosts={API: str(made.subnet[1])},
        environment={"container": "docker", "DISK_NAME": Path(made.setting("DISK")).name},
    ).start()  # fmt: skip


def _release(made: Machine) -> None:
    """The server first: it holds the disk."""
    for part in reversed(list(made.parts)):
        made.parts[part].remove(force=True, v=True)
    own = made.folder / "machine"
    if (own / DISK_FILE).exists():
        docker.from_env().containers.run(
            images.INSTANCE, **AS_A_MACHINE, entrypoint="power-off", remove=True,
            mounts=[Mount("/machine", str(own), type="bind")],
        )  # fmt: skip
        (own / DISK_FILE).unlink()

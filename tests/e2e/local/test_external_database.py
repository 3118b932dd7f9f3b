"""A workspace on a PostgreSQL that the user brings: refused when unfit, backed up, restored, never removed.

The tests of a workspace go one after another through its life.
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
from testbed.inside import inside
from tests.authority import Authority
from tests.e2e.lab import Lab, admin_of, containers

from labelspace.cvat.images import IMAGES
from labelspace_ops.runtime.docker_engine import tar_files
from labelspace_ops.targets.local.preflight import free_port

START = """\
install -o postgres -m 600 /tls/key.pem /tls/own.pem
exec docker-entrypoint.sh postgres -c ssl=on -c ssl_cert_file=/tls/cert.pem -c ssl_key_file=/tls/own.pem \\
    -c hba_file=/tls/hba.conf
"""
PASSWORD = "the-roles-own-password"


@dataclass(frozen=True)
class Server:
    """PostgreSQL 15 that accepts only TLS, on a port of this machine."""

    container: Any
    authority: Authority
    host: str
    port: int

    def sql(self, text: str, database: str = "postgres") -> str:
        """What the superuser's statement answers."""
        code, said = inside(self.container, ["psql", "-U", "postgres", "-Atc", text, database])
        assert code == 0, said
        return said.decode().strip()

    def database(self, name: str) -> str:
        """A new database with a role of its name; its connection URL."""
        self.sql(f"create role {name} login password '{PASSWORD}'")
        self.sql(f"create database {name} owner {name}")
        return f"external_database=postgresql://{name}@{self.host}:{self.port}/{name}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    client, folder = docker.from_env(), tmp_path_factory.mktemp("postgresql")
    subnet = ipaddress.ip_network(client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"])
    host = str(next(subnet.hosts()))  # this machine, as containers see it
    authority = Authority.new(folder / "authority")
    certificate, key = authority.sign("database", f"IP:{host}")
    port = free_port(host, 15432, set())
    one = client.containers.create(
        IMAGES["postgres"],
        entrypoint=["sh", "-c"],
        command=[START],
        environment={"POSTGRES_PASSWORD": secrets.token_urlsafe(12)},
        ports={"5432/tcp": (host, port)},
    )
    hba = "local all all trust\nhostssl all all all scram-sha-256\n"
    files = {"/tls/cert.pem": certificate.read_text(), "/tls/key.pem": key.read_text(), "/tls/hba.conf": hba}
    one.put_archive("/", tar_files(files))
    try:
        one.start()
        for _ in range(60):
            if inside(one, ["pg_isready", "-q", "-h", "127.0.0.1"])[0] == 0:
                break
            time.sleep(1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PGPASSWORD", PASSWORD)
            patch.setenv("PGSSLROOTCERT", str(authority.folder / "ca.pem"))
            yield Server(one, authority, host, port)
    finally:
        one.remove(force=True, v=True)


def _refused(lab: Lab, url: str) -> str:
    """What is said of a workspace that is refused; nothing of it is made."""
    name = f"r{secrets.token_hex(3)}"
    done = lab.run("create", name, "--yes", "--bucket", "street", "--set", url)
    assert done.returncode == 2, done.stdout + done.stderr
    assert containers(name) == {}
    return done.stderr


def test_an_unfit_database_is_refused_with_the_field_to_change(
    lab: Lab, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = server.database("unfit")
    assert "external_database.host: " in _refused(lab, url.replace(server.host, "no-such-host"))
    assert "external_database.port: nothing listens" in _refused(lab, url.replace(f":{server.port}", ":1"))
    assert "external_database.name: create" in _refused(lab, f"{url}_other")
    server.sql("create table taken(number int)", "unfit")
    assert "its table taken belongs to another role" in _refused(lab, url)
    server.sql("alter table taken owner to unfit", "unfit")
    assert "is not empty (1 tables)" in _refused(lab, url)
    server.sql("drop table taken", "unfit")
    server.sql("alter database unfit owner to postgres")
    assert "no right to create tables in schema public" in _refused(lab, url)
    server.sql("alter database unfit owner to unfit")
    server.sql("create table labelspace_workspace(name text)", "unfit")
    server.sql("alter table labelspace_workspace owner to unfit", "unfit")
    server.sql("insert into labelspace_workspace values ('meadow')", "unfit")
    assert "belongs to workspace meadow" in _refused(lab, url)
    other = Authority.new(tmp_path / "other")
    monkeypatch.setenv("PGSSLROOTCERT", str(other.folder / "ca.pem"))
    assert "external_database.ca_certificate: " in _refused(lab, url)
    monkeypatch.setenv("PGSSLROOTCERT", str(server.authority.folder / "ca.pem"))
    monkeypatch.setenv("PGPASSWORD", "wrong")
    said = _refused(lab, url)
    assert "external_database.password: " in said
    assert "wrong" not in said


@pytest.fixture(scope="module")
def brook(lab: Lab, server: Server) -> Iterator[Any]:
    """A workspace on an external database."""
    name = f"b{secrets.token_hex(3)}"
    try:
        measured = lab.create(name, "--bucket", "stones", "--set", server.database(name))
        assert admin_of(measured).post("/api/projects", {"name": "first"}).status_code == 201
        yield measured
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")


def _projects(measured: Any) -> set[str]:
    return {row["name"] for row in admin_of(measured).get("/api/projects").json()["results"]}


def test_cvat_writes_there_over_tls_and_no_other_database_runs(server: Server, brook: Any) -> None:
    name = brook["name"]
    assert server.sql("select name from engine_project", name) == "first"
    plain = "select count(*) from pg_stat_ssl join pg_stat_activity using (pid) where not ssl and client_addr"
    assert server.sql(f"{plain} is not null") == "0"
    assert "database" not in containers(name)
    assert containers(name)["backup"].status == "running"


def test_the_status_is_ready_and_knows_the_backups(lab: Lab, brook: Any) -> None:
    measured = lab.until_ready(brook["name"])
    assert measured["backup"]["copies"] >= 1
    assert measured["backup"]["schedule"] == "a dump every 6 h"


def test_the_password_is_in_no_list_of_processes_and_no_inspection(brook: Any) -> None:
    for part, one in containers(brook["name"]).items():
        assert PASSWORD not in str(one.attrs), part
    code, said = inside(containers(brook["name"])["backup"], ["sh", "-c", "cat /proc/*/cmdline"])
    assert PASSWORD not in said.decode(errors="replace"), code


def test_a_drill_proves_a_backup_and_a_restore_brings_it_back(lab: Lab, server: Server, brook: Any) -> None:
    name = brook["name"]
    taken = lab.json("backup", name)
    proof = lab.json("drill", name, "--backup", taken["id"])
    assert (proof["ok"], proof["recorded"], proof["missing"]) == (True, True, [])
    (listed,) = [row for row in lab.json("backups", name)["backups"] if row["id"] == taken["id"]]
    assert proof["rows"] == listed["rows"] > 0
    assert listed["files"] is True
    assert admin_of(brook).post("/api/projects", {"name": "later"}).status_code == 201
    server.sql("update engine_project set name = 'damaged' where name = 'first'", name)
    done = lab.json("restore", name, "--backup", taken["id"], "--yes")
    lab.until_ready(name)
    assert _projects(brook) == {"first"}
    lab.json("restore", name, "--backup", done["kept"], "--yes")
    lab.until_ready(name)
    assert _projects(brook) == {"damaged", "later"}


def test_an_emptied_database_is_not_begun_again_in_silence(lab: Lab, server: Server, brook: Any) -> None:
    name = brook["name"]
    lab.json("stop", name)
    server.sql(f"drop database {name} with (force)")
    server.sql(f"create database {name} owner {name}")
    refused = lab.run("start", name)
    assert (refused.returncode, f"`labelspace restore {name}`" in refused.stderr) == (1, True), refused.stderr
    lab.json("restore", name, "--yes")
    lab.json("start", name)
    assert _projects(lab.until_ready(name)) == {"damaged", "later"}


def test_the_kind_of_database_stays(lab: Lab, brook: Any) -> None:
    done = lab.run("set", brook["name"], "external_database=", "--yes")
    assert done.returncode == 2, done.stdout
    assert "annotations do not move from one to the other" in done.stderr


def test_a_deleted_workspace_leaves_the_database_and_goes_on_with_it(
    lab: Lab, server: Server, brook: Any
) -> None:
    name = brook["name"]
    gone = lab.json("delete", name, "--yes")
    assert gone["last_backup"]
    assert server.sql("select count(*) from engine_project", name) == "2"
    assert lab.run("create", name, "--yes").returncode == 0
    assert _projects(lab.until_ready(name)) == {"damaged", "later"}


def test_a_purged_workspace_leaves_the_database_too(lab: Lab, server: Server, brook: Any) -> None:
    name = brook["name"]
    assert lab.run("delete", name, "--purge", stdin=f"{name}\n").returncode == 0
    assert server.sql("select count(*) from engine_project", name) == "2"
    url = f"external_database=postgresql://{name}@{server.host}:{server.port}/{name}"
    done = lab.run("create", name, "--yes", "--bucket", "stones", "--set", url)
    assert done.returncode == 2, done.stderr
    assert "--reuse-data" in done.stderr

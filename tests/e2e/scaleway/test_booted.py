"""The boot script, booted for real on a double of an Instance, against doubles of what is around it.

The tests of this file go one after another through the life of one server: its first boot with a database
that is late, a reboot while its bucket is away, and another server in its place.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import errors
from testbed import upgrades
from testbed.inside import fetched, inside
from tests.e2e.lab import PASSWORD
from tests.e2e.machine import BUCKET, DOMAIN, METADATA, RESOLVER, Machine, machine, until

from labelspace.cvat.images import cvat_image
from labelspace_ops.backup import upgrade_test
from labelspace_ops.core.errors import UsageError
from labelspace_ops.targets.scaleway import import_backup, upgrade
from labelspace_ops.targets.scaleway import ssh as server_ssh

OBJECTS = {"a.txt", "größe", "night shots"}
SHARE_UNIT = f"labelspace-share@{BUCKET}.service"
TELLER = "labelspace-tell.service"
ASK = "import sys, urllib.request as u; u.urlopen(f'http://{sys.argv[1]}/conf', timeout=2)"


@pytest.fixture(scope="module")
def early(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A server at the point where its boot script needs the database, which is not there."""
    with machine(tmp_path_factory.mktemp("machine"), registration="open") as one:
        until(lambda: one.step() == "waits for the database", "the boot script waits for the database")
        yield one


@pytest.fixture(scope="module")
def server(early: Machine) -> Machine:
    """The same server, once its workspace is ready."""
    early.parts["database"].start()
    _until_ready(early)
    return early


def _until_ready(one: Machine) -> None:
    until(lambda: one.step() == "ready" and one.healthy(), "every part of CVAT works behind the URL")


def _listed(one: Machine) -> set[str]:
    """What the admin sees of the bucket in CVAT."""
    admin = one.visitor()
    assert admin.log_in(one.outputs["admin_username"], one.outputs["admin_password"]).status_code == 200
    answer = admin.get(f"/api/server/share?directory=/{BUCKET}")
    return {entry["name"] for entry in answer.json()} if answer.status_code == 200 else set()


def _fetched_secrets(one: Machine) -> int:
    return sum(path.endswith("/versions/latest/access") for _, path, _ in one.account.cloud.calls)


def _dumps(one: Machine) -> list[str]:
    """Paths of the dumps where the S3 gateway keeps them."""
    folder = f"/buckets/{one.setting('BACKUP_BUCKET')}/dumps"
    code, said = inside(one.parts["storage"], ["find", folder, "-type", "f", "-name", "*.dump"])
    return sorted(said.decode().split()) if code == 0 else []


def test_cloud_init_takes_the_user_data(early: Machine) -> None:
    early.inside("cloud-init", "schema", "--system")
    until(lambda: "status: done" in early.inside("cloud-init", "status"), "cloud-init is done")
    assert early.inside("systemctl", "--failed", "--no-legend") == ""


def test_nothing_of_cvat_starts_before_the_database_answers(early: Machine) -> None:
    assert early.inside("docker", "ps", "--all", "--quiet") == ""
    assert early.inside("systemctl", "is-active", SHARE_UNIT).strip() == "active"


def test_the_boot_endpoint_serves_the_step_and_nothing_else(early: Machine) -> None:
    assert early.boot_answer() == (200, "waits for the database")
    assert early.boot_answer("/") == early.boot_answer("/etc/labelspace/boot.env") == (404, "")
    process = early.inside("systemctl", "show", "--value", "--property", "MainPID", TELLER).strip()
    assert early.inside("stat", "--format", "%u", f"/proc/{process}").strip() != "0"
    limits = early.inside("cat", f"/proc/{process}/status")
    assert re.search(r"^CapBnd:\s+0+400$", limits, re.MULTILINE), "it may bind port 80, and no more"
    assert not early.succeeds("nsenter", "--target", process, "--mount", "cat", "/etc/labelspace/boot.env")


def test_no_password_is_in_user_data(early: Machine) -> None:
    for name, content in early.secret_files.items():
        if name != "database-ca.pem" and not name.endswith("-database-ca.pem"):
            assert content.strip() not in early.user_data, name
    assert early.outputs["admin_password"] not in early.user_data


def test_the_url_answers_with_a_certificate_of_the_directory(server: Machine) -> None:
    assert server.outputs["url"] == f"https://{DOMAIN}"
    assert server.healthy(), "the visitor trusts nobody but that authority"


def test_the_step_is_no_longer_served(server: Machine) -> None:
    assert server.boot_answer()[0] == 308, "CVAT's proxy has the port"
    assert not server.succeeds("systemctl", "is-active", TELLER)


def test_http_leads_to_https(server: Machine) -> None:
    answer = server.visitor().http.get(f"http://{DOMAIN}/tasks?page=1")
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{DOMAIN}/tasks?page=1")


def test_the_admin_logs_in_as_superuser(server: Machine) -> None:
    admin = server.visitor()
    answer = admin.log_in(server.outputs["admin_username"], server.outputs["admin_password"])
    assert answer.status_code == 200, answer.text
    users = admin.get("/api/users").json()["results"]
    assert [one["username"] for one in users if one["is_superuser"]] == [server.outputs["admin_username"]]


def test_the_share_lists_the_bucket_through_rclone(server: Machine) -> None:
    assert _listed(server) == OBJECTS
    assert "fuse.rclone" in server.inside(
        "findmnt", "--noheadings", "--output", "FSTYPE", f"/srv/labelspace/share/{BUCKET}"
    )
    server.inside(
        "docker", "exec", server.container("server"), "cat", f"/home/django/share/{BUCKET}/größe/c.txt"
    )


def test_no_port_but_those_of_the_url_is_open(server: Machine) -> None:
    """22 is the double's own: the firewall is Scaleway's, before the server."""
    lines = server.inside("ss", "--no-header", "--listening", "--tcp", "--udp", "--numeric").splitlines()
    outside = {line.split()[4] for line in lines if not re.search(r"127\.0\.0\.|\[::1\]", line.split()[4])}
    assert {int(one.rpartition(":")[2]) for one in outside} - {22} == {80, 443}


def test_cvats_containers_reach_the_resolver_and_not_the_metadata(server: Machine) -> None:
    """Without the rule they would reach both: somebody answers there."""
    inside = server.container("server")
    asked = ["docker", "exec", inside, "python3", "-c", ASK]
    for address in (METADATA, RESOLVER):
        server.inside("python3", "-c", ASK, address)
    assert not server.succeeds(*asked, METADATA)
    assert server.succeeds(*asked, RESOLVER)
    server.inside("nft", "delete", "table", "inet", "labelspace")
    assert server.succeeds(*asked, METADATA)
    server.inside("/usr/local/sbin/labelspace-prepare")
    assert not server.succeeds(*asked, METADATA)
    server.inside("sh", "-c", "echo ready >/run/labelspace/step")


def test_the_dump_can_be_restored_on_any_postgresql(server: Machine) -> None:
    """The first one is made by itself, after the start."""
    until(lambda: bool(_dumps(server)), "a dump is made")
    dump = _dumps(server)[0]
    assert server.inside("systemctl", "is-active", "labelspace-dump.timer") == "active\n"
    database = server.parts["database"]
    chunks, _ = server.parts["storage"].get_archive(dump)
    database.put_archive("/srv", b"".join(chunks))
    restore = "pg_restore -U labelspace --no-owner --no-acl --exit-on-error -d scratch"
    command = f"createdb -U labelspace scratch && {restore} /srv/{dump.rpartition('/')[2]}"
    code, said = inside(database, ["sh", "-c", command])
    assert code == 0, said.decode()
    count = ["psql", "-U", "labelspace", "-At", "-c", "SELECT count(*) FROM auth_user"]
    for name in ("scratch", "cvat"):
        assert inside(database, [*count, name])[1].strip() == b"1", name


def _stored(one: Machine, folder: str) -> set[str]:
    """Names of what is in a folder of the backup bucket."""
    return set(_rclone(one, "lsf", folder).split())


def _rclone(one: Machine, verb: str, *paths: str) -> str:
    """As the server itself does it, on paths in its backup bucket."""
    places = [f"storage:{one.setting('BACKUP_BUCKET')}/{path}" for path in paths]
    return one.inside("rclone", "--config", "/run/labelspace/rclone.conf", verb, *places)


def _write(one: Machine, path: str, text: str) -> None:
    """Over what is there."""
    command = (
        f"rclone --config /run/labelspace/rclone.conf rcat storage:{one.setting('BACKUP_BUCKET')}/{path}"
    )
    one.inside("sh", "-c", f"printf %s {shlex.quote(text)} | {command}")


def test_the_first_drill_comes_by_itself(server: Machine) -> None:
    """What the timer starts; it finds a dump and no proof yet."""
    assert server.inside("systemctl", "is-active", "labelspace-drill.timer") == "active\n"
    server.inside("systemctl", "start", "labelspace-drill.service")
    (kept,) = _stored(server, "proofs/")
    proof = json.loads(_rclone(server, "cat", f"proofs/{kept}"))
    assert (proof["ok"], proof["recorded"], proof["reason"]) == (True, True, "")
    assert proof["rows"] > 0
    assert f"{proof['backup']}.json" == kept
    server.inside("systemctl", "start", "labelspace-drill.service")
    assert json.loads(_rclone(server, "cat", f"proofs/{kept}")) == proof, "none is due so soon"


def test_a_dump_that_fails_leaves_none_and_is_seen(server: Machine) -> None:
    """Here the database refuses: what was dumped until then is not kept for a dump."""
    before = _dumps(server)
    server.inside("sh", "-c", "cd /run/labelspace/files && cp pgpass /run/kept && sed -i s/.$/x/ pgpass")
    assert not server.succeeds("systemctl", "start", "labelspace-dump.service")
    assert _dumps(server) == before
    assert "labelspace-dump.service" in server.inside("systemctl", "--failed", "--no-legend")
    assert not server.succeeds("systemctl", "start", "labelspace-check.service")
    assert "the last dump of the annotations failed" in server.inside("journalctl", "-u", "labelspace-check")
    server.inside("cp", "/run/kept", "/run/labelspace/files/pgpass")
    server.inside("systemctl", "start", "labelspace-dump.service")
    server.inside("systemctl", "start", "labelspace-check.service")
    assert server.inside("systemctl", "--failed", "--no-legend") == ""


def test_an_admin_restores_and_proves_a_dump_over_ssh(server: Machine) -> None:
    taken = server.labelspace("backup")
    assert taken["id"] in [row["id"] for row in server.labelspace("backups")["backups"]]
    proof = server.labelspace("drill", "--backup", taken["id"])
    assert (proof["ok"], proof["recorded"], proof["rows"] > 0) == (True, True, True)
    listed = {row["id"]: row["proof"] for row in server.labelspace("backups")["backups"]}
    assert listed[taken["id"]] == proof
    assert server.visitor().sign_up("annotator-0").status_code == 201
    cached = "/var/lib/labelspace/docker/volumes/labelspace-cache/_data/of-a-task-that-is-not-there-yet"
    server.inside("touch", cached)
    done = server.labelspace("restore", "--backup", taken["id"], "--yes")
    _until_ready(server)
    assert not server.succeeds("test", "-e", cached)
    assert server.visitor().log_in("annotator-0", PASSWORD).status_code == 400, "was not there yet"
    server.labelspace("restore", "--backup", done["kept"], "--yes")
    _until_ready(server)
    assert server.visitor().log_in("annotator-0", PASSWORD).status_code == 200


def test_what_another_workspace_left_is_loaded_with_its_files(server: Machine, tmp_path: Path) -> None:
    taken = server.labelspace("backup")["id"]
    assert server.visitor().sign_up("annotator-1").status_code == 201
    dump, media = tmp_path / "dump", tmp_path / "media.tar"
    (kept,) = [path for path in _dumps(server) if taken in path]
    dump.write_bytes(fetched(server.parts["storage"], kept))
    _archive(media, "cvat/data/data/1/raw/one.txt", b"pixels")
    begins = import_backup.Portable("street.dump", dump, media)
    import_backup.fill(server_ssh.server_of(server.account.name, server.account.home), begins)
    _until_ready(server)
    assert server.visitor().log_in("annotator-1", PASSWORD).status_code == 400, "was not there yet"
    seen = ("docker", "exec", server.container("server"), "cat", "/home/django/data/data/1/raw/one.txt")
    assert server.inside(*seen) == "pixels"
    assert not server.succeeds("test", "-e", import_backup.FOLDER)


def test_a_dump_of_a_later_cvat_changes_nothing(
    server: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the CVAT that runs had none of the migrations."""
    taken = server.labelspace("backup")["id"]
    dump = tmp_path / "dump"
    (kept,) = [path for path in _dumps(server) if taken in path]
    dump.write_bytes(fetched(server.parts["storage"], kept))
    assert server.visitor().sign_up("annotator-2").status_code == 201
    monkeypatch.setattr(upgrade_test, "KNOWN", "print('[\"engine.0000_other\"]')")
    there = server_ssh.server_of(server.account.name, server.account.home)
    with pytest.raises(UsageError, match=r"was migrated by a later CVAT \(engine\..+--cvat-version"):
        import_backup.fill(there, import_backup.Portable("later.dump", dump, None))
    assert server.visitor().log_in("annotator-2", PASSWORD).status_code == 200


def _archive(file: Path, name: str, content: bytes) -> None:
    """As CVAT's files are packed: they belong to its user."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.uid, entry.gid = len(content), 1000, 1000
    with tarfile.open(file, "w") as tar:
        tar.addfile(entry, io.BytesIO(content))


@pytest.fixture
def dump(server: Machine) -> Iterator[str]:
    """The id of a dump that a test may damage; what it left is removed."""
    taken = str(server.labelspace("backup")["id"])
    yield taken
    for name in (f"dumps/{taken}.dump", f"dumps/{taken}.json", f"proofs/{taken}.json"):
        _rclone(server, "deletefile", name)


def _drill_fails(one: Machine, dump: str) -> str:
    """What the command says of it; the proof is kept."""
    done = one.account.labelspace("drill", one.account.name, "--backup", dump)
    assert done.returncode == 1, done.stdout
    assert json.loads(_rclone(one, "cat", f"proofs/{dump}.json"))["ok"] is False
    return done.stderr


def test_a_drill_fails_when_rows_are_not_as_recorded(server: Machine, dump: str) -> None:
    record = json.loads(_rclone(server, "cat", f"dumps/{dump}.json"))
    record["counts"]["public.auth_user"] += 1
    _write(server, f"dumps/{dump}.json", json.dumps(record))
    assert "rows differ: public.auth_user: " in _drill_fails(server, dump)


def test_a_drill_fails_when_the_dump_is_damaged(server: Machine, dump: str) -> None:
    _write(server, f"dumps/{dump}.dump", "PGDMP and no more")
    assert "the dump is damaged" in _drill_fails(server, dump)


def test_a_drill_fails_when_the_record_is_damaged(server: Machine, dump: str) -> None:
    _write(server, f"dumps/{dump}.json", "{")
    assert "its record is damaged" in _drill_fails(server, dump)


def test_a_damaged_dump_without_a_record_fails_too(server: Machine, dump: str) -> None:
    _rclone(server, "deletefile", f"dumps/{dump}.json")
    _write(server, f"dumps/{dump}.dump", "PGDMP and no more")
    assert "pg_restore" in _drill_fails(server, dump)
    _write(server, f"dumps/{dump}.json", "{}")


def test_a_dump_from_before_there_were_records_is_counted_alone(server: Machine, dump: str) -> None:
    _rclone(server, "moveto", f"dumps/{dump}.json", "kept.json")
    done = server.account.labelspace("drill", server.account.name, "--backup", dump)
    assert done.returncode == 0, done.stderr
    assert f"{dump} restored: " in done.stdout
    assert "no record to compare with" in done.stdout
    assert f"{dump}.dump" in _stored(server, "dumps/")
    _rclone(server, "moveto", "kept.json", f"dumps/{dump}.json")


@pytest.fixture(scope="module")
def later(server: Machine) -> Machine:
    """The server with later versions of CVAT on it, and two projects in its database."""
    upgrades.prepare()
    server.load(*(cvat_image("server", version) for version in upgrades.VERSIONS.values()))
    admin = server.visitor()
    admin.log_in(server.outputs["admin_username"], server.outputs["admin_password"])
    for name in ("one", "two"):
        assert admin.post("/api/projects", {"name": name}).status_code == 201
    return server


def _upgraded(one: Machine, migration: str) -> str:
    """What `labelspace set` says of a version that is refused."""
    before = one.account.only("instance_server")["id"]
    settings = one.account.settings.read_text()
    setting = f"cvat_version={upgrades.VERSIONS[migration]}"
    done = one.account.labelspace("set", one.account.name, setting, "--yes")
    assert done.returncode == 1, done.stdout
    assert one.account.only("instance_server")["id"] == before
    assert one.account.settings.read_text() == settings
    return done.stderr


def test_a_version_that_loses_rows_replaces_no_server(later: Machine) -> None:
    said = _upgraded(later, "losing")
    assert "would lose rows: public.engine_project: 1 instead of 2" in said
    assert "Nothing was changed" in said


def test_a_version_whose_migration_fails_is_refused_by_plain_pulumi_too(later: Machine) -> None:
    assert "cannot convert 2 projects" in _upgraded(later, "failing")
    name, key = later.account.name, "labelspace:cvat_version"
    settings = later.account.settings.read_text()
    later.account.pulumi("config", "set", key, upgrades.VERSIONS["failing"])
    before = later.account.only("instance_server")["id"]
    done = later.account.run("up", "--yes", "--skip-preview")
    later.account.settings.write_text(settings)
    assert done.returncode != 0, name
    assert "the rehearsal failed: its migration failed" in done.stdout + done.stderr
    assert later.account.only("instance_server")["id"] == before


def test_a_good_version_is_rehearsed_with_a_dump(later: Machine) -> None:
    image = cvat_image("server", upgrades.VERSIONS["good"])
    given = json.dumps({"image": image, "environment": upgrade._environment()})
    said = json.loads(later.inside("labelspace-backup", "rehearse", given).splitlines()[-1])
    assert f"{said['id']}.dump" in _stored(later, "dumps/")
    assert "rehearsal" not in later.inside("docker", "network", "ls")


def test_nothing_of_dumps_and_drills_is_left_on_the_server(server: Machine) -> None:
    left = server.inside("ls", "/var/lib/labelspace").split()
    temporary = ("dump.", "drill.", "proof.", "rehearse.", "record.", "sql.")
    assert [name for name in left if name.startswith(temporary)] == []
    assert "labelspace-scratch" not in server.inside("docker", "ps", "--all", "--format", "{{.Names}}")


def test_a_lost_mount_comes_back_by_itself(server: Machine) -> None:
    server.inside("systemctl", "kill", "--signal", "KILL", SHARE_UNIT)
    until(lambda: _listed(server) == OBJECTS, "the share lists the bucket again")


def test_what_is_new_in_a_bucket_is_seen_at_once_when_asked(server: Machine) -> None:
    new = f"/buckets/{BUCKET}/new.txt"
    for command, seen in (("touch", OBJECTS | {"new.txt"}), ("rm", OBJECTS)):
        assert server.parts["storage"].exec_run([command, new]).exit_code == 0
        server.inside("systemctl", "kill", "--signal", "HUP", SHARE_UNIT)
        until(lambda seen=seen: _listed(server) == seen, "the share lists what is there")  # type: ignore[misc]


@pytest.fixture(scope="module")
def rebooted(server: Machine) -> tuple[Machine, dict[str, Any]]:
    """The server after a reboot during which Object Storage did not answer; what was so before."""
    before = {
        "volume": _volume(server),
        "certificate": _certificate(server),
        "fetched": _fetched_secrets(server),
        "left": server.inside("sh", "-c", "echo kept >/var/lib/labelspace/left"),
    }
    assert server.visitor().sign_up("annotator-1").status_code == 201
    server.reboot(meanwhile=server.parts["storage"].stop)
    _until_ready(server)
    return server, before


def _seen(one: Machine) -> dict[str, dict[str, Any]]:
    """The status's checks by name; it is degraded here anyhow, as this machine does not find the URL."""
    done = one.account.labelspace("status", one.account.name, "--json")
    return {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def _volume(one: Machine) -> str:
    """The file system that the data volume has, by the identity it got when it was made."""
    return one.inside("blkid", "--match-tag", "UUID", "--output", "value", one.setting("DISK")).strip()


def _certificate(one: Machine) -> str:
    name = f"/data/caddy/certificates/*/{DOMAIN}/{DOMAIN}.crt"
    return one.inside("docker", "exec", one.container("proxy"), "sh", "-c", f"cat {name}")


def _began(one: Machine, unit: str, state: str) -> int:
    name = f"{state}TimestampMonotonic"
    return int(one.inside("systemctl", "show", "--value", "--property", name, unit))


def test_a_reboot_keeps_data_and_certificate_and_fetches_secrets_again(
    rebooted: tuple[Machine, dict[str, Any]],
) -> None:
    one, before = rebooted
    assert _volume(one) == before["volume"]
    assert _certificate(one) == before["certificate"]
    assert one.inside("cat", "/var/lib/labelspace/left") == "kept\n"
    assert _fetched_secrets(one) > before["fetched"]
    assert one.visitor().log_in("annotator-1", PASSWORD).status_code == 200


def test_mounts_are_back_before_cvat(rebooted: tuple[Machine, dict[str, Any]]) -> None:
    one, _ = rebooted
    assert 0 < _began(one, SHARE_UNIT, "ActiveEnter") <= _began(one, "docker.service", "InactiveExit")


def test_a_bucket_that_is_away_is_seen_and_comes_back_by_itself(
    rebooted: tuple[Machine, dict[str, Any]],
) -> None:
    one, _ = rebooted
    assert _listed(one) == set()
    assert not one.succeeds("systemctl", "start", "labelspace-check.service")
    assert f"bucket {BUCKET} cannot be listed" in one.inside("journalctl", "-u", "labelspace-check")
    seen = _seen(one)[f"mount {BUCKET}"]
    assert not seen["ok"], "which makes it degraded"
    assert seen["detail"].startswith("cannot be listed on the server")
    one.parts["storage"].start()
    until(lambda: _listed(one) == OBJECTS, "the share lists the bucket again")
    one.inside("systemctl", "start", "labelspace-check.service")
    assert f"mount {BUCKET}" not in _seen(one)


def test_another_server_takes_up_the_volume(rebooted: tuple[Machine, dict[str, Any]]) -> None:
    """Other settings replace the server; containers of the old one are still on the volume."""
    one, before = rebooted
    one.replace(registration="closed")
    with pytest.raises(errors.NotFound):
        one.replaced.reload()
    _until_ready(one)
    assert one.first_step == "installs Docker"
    assert _volume(one) == before["volume"]
    assert _certificate(one) == before["certificate"]
    assert one.visitor().sign_up("annotator-2").status_code == 403
    assert one.visitor().log_in("annotator-1", PASSWORD).status_code == 200
    assert _listed(one) == OBJECTS


def test_a_stop_takes_a_last_dump(rebooted: tuple[Machine, dict[str, Any]]) -> None:
    one, _ = rebooted
    before = _dumps(one)
    assert one.labelspace("stop")["backed_up"] is True
    assert len(_dumps(one)) == len(before) + 1

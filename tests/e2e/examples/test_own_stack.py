"""The example of docs/own-stack.md on the real engine: up, looked at, renamed, protected, down."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import docker
import pytest
from testbed.inside import inside
from tests.e2e.lab import BIN, Lab, Visitor, containers

from labelspace.naming import WORKSPACE_LABEL
from labelspace_ops.stack.pulumi_cli import prepare

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "own-stack.md").read_text(encoding="utf-8")
UP, DOWN = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)[-2:]
PARTS = ("", "-incoming", "-judgements")
"""What the example's parts are called on the engine, after the stack's name."""


@dataclass(frozen=True)
class Own:
    """The example's folder, copied: what Pulumi writes stays out of the clone."""

    lab: Lab
    name: str
    port: int
    folder: Path

    def sh(self, commands: str) -> subprocess.CompletedProcess[str]:
        """The guide's commands with a name and a port of the test's own."""
        said = commands.replace("pets", self.name).replace("8090", str(self.port))
        return subprocess.run(
            ["bash", "-ec", said], env=self.lab.env(), cwd=self.folder.parents[1],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def pulumi(self, *arguments: str, succeeds: bool = True) -> str:
        """Plain ``pulumi`` in the example's folder."""
        done = self.lab.plain(*arguments, "--stack", self.name, cwd=self.folder)
        assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
        return done.stdout if succeeds else done.stdout + done.stderr

    def output(self, *flags: str) -> dict[str, Any]:
        return dict(json.loads(self.pulumi("stack", "output", "--json", *flags)))

    def changed(self, *changes: tuple[str, str]) -> None:
        """The program with ``changes`` (old text, new text) made to the original."""
        program = (ROOT / "examples" / "own-stack" / "__main__.py").read_text()
        for old, new in changes:
            assert old in program, old
            program = program.replace(old, new)
        (self.folder / "__main__.py").write_text(program)


@pytest.fixture(scope="module")
def own(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    """The example, up; what a test did to its program is undone before it goes."""
    folder = tmp_path_factory.mktemp("clone") / "examples" / "own-stack"
    shutil.copytree(ROOT / "examples" / "own-stack", folder)
    prepare(lab.home)
    one = Own(lab, f"own{secrets.token_hex(3)}", secrets.randbelow(4000) * 3 + 20000, folder)
    try:
        done = one.sh(UP)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.splitlines()[-1] == f"http://{one.name}.localhost:{one.port}"
        yield one
    finally:
        one.pulumi("state", "unprotect", "--all", "--yes")
        one.changed()
        one.sh(f"cd examples/own-stack\n{DOWN}")
        lab.forget(*(f"{one.name}{part}" for part in PARTS))


def test_people_label_what_the_teams_own_bucket_holds(own: Own) -> None:
    shown = own.output("--show-secrets")
    s3 = boto3.client(
        "s3",
        endpoint_url=shown["incoming"]["endpoint"],
        aws_access_key_id="labelspace",
        aws_secret_access_key=shown["secret_key"],
        region_name="us-east-1",
    )
    s3.put_object(Bucket=f"{own.name}-incoming", Key="a.txt", Body=b"from a camera")
    assert (Path(shown["incoming"]["folder"]) / "a.txt").read_bytes() == b"from a camera"
    admin = Visitor(f"http://127.0.0.1:{own.port}")
    assert admin.log_in("admin", shown["admin_password"]).status_code == 200
    share = admin.get(f"/api/server/share?directory=/{own.name}-incoming/").json()
    assert "a.txt" in {row["name"] for row in share}


def test_the_project_of_the_program_has_its_labels(own: Own) -> None:
    shown = own.output("--show-secrets")["project"]
    admin = Visitor(f"http://127.0.0.1:{own.port}")
    admin.log_in("admin", own.output("--show-secrets")["admin_password"])
    (project,) = [one for one in admin.get("/api/projects").json()["results"] if one["name"] == "cars"]
    assert project["id"] == shown["number"]
    labels = admin.get(f"/api/labels?project_id={project['id']}").json()["results"]
    assert [one["name"] for one in labels] == ["car", "plate"]
    assert shown["not_signed_up"] == ["ann@example.org"]


def test_the_teams_own_container_worked_on_the_database(own: Own) -> None:
    database = containers(f"{own.name}-judgements")["database"]
    query = "SELECT count(*) FROM judgement"
    code, said = inside(database, ["psql", "-U", "cvat", "-d", "cvat", "-Atc", query], user="postgres")
    assert (code, said.strip()) == (0, b"0")
    shown = own.output()
    assert shown["report"] == 0
    assert list(Path(shown["judgements"]["backups"]).rglob("backup.info"))


def test_secrets_are_secret_in_the_callers_outputs(own: Own) -> None:
    shown = own.output()
    assert (shown["admin_password"], shown["secret_key"]) == ("[secret]", "[secret]")
    known = own.output("--show-secrets")
    state = own.pulumi("stack", "export")
    assert known["admin_password"] not in state
    assert known["secret_key"] not in state


def _labelspace(own: Own, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """``labelspace`` in the example's folder, with the variables of its own backend."""
    command = [str(BIN / "labelspace"), *arguments]
    return subprocess.run(
        command, env=own.lab.env(), cwd=own.folder, input=stdin, capture_output=True, text=True, check=False
    )


def _operate(own: Own, *arguments: str) -> Any:
    """The JSON of a command on the stack's workspace, which must succeed."""
    done = _labelspace(own, *arguments, "--stack", own.name, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_its_workspace_is_operated_with_the_projects_own_backend(own: Own, tmp_path: Path) -> None:
    shown = own.output("--show-secrets")
    status = _operate(own, "status")
    assert (status["name"], status["status"], status["url"]) == (own.name, "ready", shown["url"])
    assert [row["name"] for row in _operate(own, "list")] == [own.name]
    assert _operate(own, "credentials")["password"] == shown["admin_password"]
    (tmp_path / "b.txt").write_text("from labelspace")
    uploaded = _operate(own, "upload", own.name, str(tmp_path / "b.txt"))
    assert uploaded["uploaded"] == 1
    assert (Path(shown["incoming"]["folder"]) / "b.txt").exists()


def test_its_labels_are_applied_from_a_file_of_the_project(own: Own) -> None:
    labels = own.folder / "stacks" / "labels"
    labels.mkdir(parents=True)
    (labels / f"{own.name}.yaml").write_text("projects:\n  - name: pets\n    labels: [{name: cat}]\n")
    assert _operate(own, "labels", "apply", "--yes")["applied"] is True
    assert _operate(own, "labels", "apply", "--dry-run")["changes"] == {"pets": []}
    pulled = _labelspace(own, "labels", "pull", "--stack", own.name, "--out", "-")
    assert "name: cat" in pulled.stdout
    assert {one["username"] for one in _operate(own, "annotators", "list")} == {"admin"}


def test_its_backups_are_taken_proven_and_restored(own: Own) -> None:
    before = {part: one.id for part, one in containers(own.name).items()}
    taken = _operate(own, "backup")
    assert taken["id"] in [row["id"] for row in _operate(own, "backups")["backups"]]
    assert _operate(own, "drill")["ok"] is True
    restored = _operate(own, "restore", "--backup", taken["id"], "--yes")
    assert restored["from_backup"] == taken["id"]
    assert {part: one.id for part, one in containers(own.name).items()} == before
    assert _operate(own, "status")["status"] == "ready"
    own.changed()
    own.pulumi("preview", "--expect-no-changes")


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (("status", "--stack", "nowhere"), "stack: nowhere cannot be read"),
        (("status", "other", "--stack", "STACK"), "name: 'other' is no workspace of stack STACK"),
        (("stop", "STACK", "--stack", "STACK"), "set running to False there, and run `pulumi up`"),
        (("set", "STACK", "size=medium", "--stack", "STACK"), "change the setting there"),
        (("delete", "STACK", "--stack", "STACK"), "remove the Workspace there"),
        (("status",), "name: missing: give the workspace, or the stack"),
    ],
)
def test_what_a_command_cannot_do_is_named(own: Own, arguments: tuple[str, ...], reported: str) -> None:
    done = _labelspace(own, *(one.replace("STACK", own.name) for one in arguments))
    assert done.returncode in (1, 2)
    assert reported.replace("STACK", own.name) in done.stderr


def test_a_second_preview_finds_nothing_to_do(own: Own) -> None:
    own.changed()
    own.pulumi("preview", "--expect-no-changes")


def test_renamed_and_moved_with_aliases_nothing_changes(own: Own) -> None:
    """Under a component of the team's own, every child's URN is another."""
    bucket, database = 'f"{name}-incoming"', 'f"{name}-judgements"'
    own.changed(
        ("config = pulumi.Config()", _TEAM),
        (f"DatasetBucket({bucket}, port", f'DatasetBucket("arriving", name={bucket}, '
         f"opts=moved({bucket}), port"),
        (f"AnnotationDatabase({database}, ", f'AnnotationDatabase("judged", name={database}, '
         f"opts=moved({database}), "),
        ("= Workspace(\n    name,", '= Workspace(\n    "labeling", name=name, opts=moved(name),'),
    )  # fmt: skip
    counts = json.loads(own.pulumi("preview", "--json"))["changeSummary"]
    state = json.loads(own.pulumi("stack", "export"))["deployment"]["resources"]
    there = [one for one in state if not one["type"].startswith("pulumi:providers:")]
    assert counts == {"create": 1, "same": len(there)}  # made anew: the team's component itself


_TEAM = """\
team = pulumi.ComponentResource("other:index:Team", "team")


def moved(old: str) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(
        parent=team, aliases=[pulumi.Alias(name=old, parent=pulumi.ROOT_STACK_RESOURCE)]
    )


config = pulumi.Config()"""


def test_a_transform_of_the_caller_changes_every_container(own: Own) -> None:
    own.changed(("config = pulumi.Config()", _TRANSFORM))
    steps = json.loads(own.pulumi("preview", "--json"))["steps"]
    made = [step["newState"] for step in steps if "docker:index/container:Container::" in step["urn"]]
    shares = {step["inputs"]["name"]: step["inputs"].get("cpuShares") for step in made if "inputs" in step}
    running = {one.name for part in PARTS for one in containers(f"{own.name}{part}").values()}
    assert {name for name, value in shares.items() if value == 512} == {*running, f"{own.name}-report"}
    assert len(running) > 12


_TRANSFORM = """\
def modest(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    if args.type_ != "docker:index/container:Container":
        return None
    return pulumi.ResourceTransformResult({**args.props, "cpuShares": 512}, args.opts)


pulumi.runtime.register_resource_transform(modest)
config = pulumi.Config()"""


def test_protected_parts_are_not_destroyed(own: Own) -> None:
    own.changed(("backup=BackupArgs(", "opts=pulumi.ResourceOptions(protect=True), backup=BackupArgs("))
    own.pulumi("up", "--yes", "--skip-preview")
    before = {one.id for one in containers(f"{own.name}-judgements").values()}
    said = own.pulumi("destroy", "--yes", "--skip-preview", succeeds=False)
    assert "protect" in said
    assert {one.id for one in containers(f"{own.name}-judgements").values()} == before
    state = json.loads(own.pulumi("stack", "export"))["deployment"]["resources"]
    children = [
        one for one in state if "AnnotationDatabase" in one["urn"] and f"{own.name}-judgements" in one["urn"]
    ]
    assert len(children) > 5
    assert all(one.get("protect") for one in children)


def test_it_goes_down_and_leaves_what_people_made(own: Own) -> None:
    own.pulumi("state", "unprotect", "--all", "--yes")
    own.changed()
    folder = Path(own.output()["incoming"]["folder"])
    done = own.sh(f"cd examples/own-stack\n{DOWN}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [one for part in PARTS for one in containers(f"{own.name}{part}").values()] == []
    volumes = docker.from_env().volumes.list(filters={"label": f"{WORKSPACE_LABEL}={own.name}-judgements"})
    assert f"labelspace-{own.name}-judgements-database" in {one.name for one in volumes}
    assert (folder / "a.txt").exists()

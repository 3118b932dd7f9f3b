"""What a caller passes as resource options reaches every child, as Pulumi's users expect.

Aliases and transforms are the engine's own work: tests/examples tries them on it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker
import pulumi_random as random
import pulumiverse_scaleway as scaleway
import pytest
from pulumi.runtime.mocks import MockMonitor
from tests.e2e.cloud import ACCOUNT

from labelspace import AnnotationDatabase, AnnotationServer, DatasetBucket, SpecError, Workspace
from labelspace.home import Home

LOCAL: dict[str, Any] = {
    "name": "w",
    "buckets": [{"name": "one"}, {"name": "far", "endpoint": "http://198.51.100.1:7070"}],
}
CLOUD: dict[str, Any] = {
    "name": "w",
    "target": "scaleway",
    "buckets": [{"name": "one"}],
    "scaleway": {"wait_minutes": 0, "trial_hostname": True},
}
WITH_DATABASE: dict[str, Any] = {
    **CLOUD,
    "scaleway": {"wait_minutes": 0, "trial_hostname": True, "database": "server"},
    "backup": {"encryption_key": "x" * 40},
}
HUGE: dict[str, Any] = {"size": "huge"}
Options = pulumi.ResourceOptions
Declare = Callable[[Options], Any]


def _server(opts: Options) -> AnnotationServer:
    bucket = DatasetBucket("photos", port=9000, opts=opts)
    database = AnnotationDatabase("labels", opts=opts)
    return AnnotationServer("server", database=database, buckets=[bucket], opts=opts)


PARTS: dict[str, Declare] = {
    "Workspace": lambda opts: Workspace("w", opts, **LOCAL),
    "Workspace on Scaleway": lambda opts: Workspace("w", opts, **CLOUD),
    "Workspace with a database on its server": lambda opts: Workspace("w", opts, **WITH_DATABASE),
    "DatasetBucket": lambda opts: DatasetBucket("photos", port=9000, opts=opts),
    "AnnotationDatabase": lambda opts: AnnotationDatabase("labels", opts=opts),
    "AnnotationServer": _server,
}
every_part = pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)


class Machine(pulumi.runtime.Mocks):
    """Answers as if every resource could be made and every one-shot container ended well."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        made = {"result": f"Made-{args.name}-2026", "exitCode": 0, "address": "203.0.113.7"}
        keys = {"accessKey": "SCWXXXXXXXXXXXXXXXXX", "secretKey": "made"}
        stashed = {"output": args.inputs.get("input")}
        return f"{args.name}-id", {**args.inputs, **made, **keys, **stashed}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise AssertionError(args.token)


class Recorder(MockMonitor):
    """Keeps the requests that the engine would get."""

    def __init__(self) -> None:
        super().__init__(Machine())
        self.requests: list[Any] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's word
        self.requests.append(request)
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Declared:
    """What was declared: the requests for parts, providers left out, and the outputs by name."""

    requests: list[Any]

    @property
    def top(self) -> list[Any]:
        return [one for one in self.requests if "::pulumi:pulumi:Stack::" in one.parent or not one.parent]

    @property
    def children(self) -> list[Any]:
        top = {id(one) for one in self.top}
        return [one for one in self.requests if id(one) not in top]

    def of(self, package: str) -> list[Any]:
        return [one for one in self.children if one.custom and one.type.startswith(f"{package}:")]


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    for key, value in ACCOUNT.items():
        monkeypatch.setenv(key, value)


def declared(
    part: Declare, options: Callable[[], Options] = Options, *, seen: list[Any] | None = None
) -> Declared:
    """Everything that ``part`` declares when its caller gives ``options``; ``seen`` gets the requests."""
    recorder = Recorder()
    recorder.requests = [] if seen is None else seen
    pulumi.runtime.set_mocks(Machine(), project="other-team", stack="test", monitor=recorder)

    @pulumi.runtime.test  # type: ignore[untyped-decorator] # the SDK leaves it without types
    def program() -> None:
        part(options())

    try:
        program()
    finally:
        gc.collect()  # what a failed update left complains when it goes: better here than within another test
    skipped = ("pulumi:pulumi:Stack", "pulumi:providers:")
    return Declared([one for one in recorder.requests if not one.type.startswith(skipped)])


@every_part
def test_only_the_part_itself_is_at_the_top_of_the_callers_stack(part: Declare) -> None:
    made = declared(part)
    assert all(one.type.startswith("labelspace:index:") for one in made.top), made.top
    assert len(made.children) > 3


@every_part
def test_protect_reaches_every_child(part: Declare) -> None:
    made = declared(part, lambda: Options(protect=True))
    assert [one.name for one in made.children if not one.protect] == []
    assert not any(one.protect for one in declared(part).requests)


def _providers() -> Options:
    return Options(
        providers=[
            docker.Provider("theirs", host="unix:///var/run/docker.sock"),
            random.Provider("theirs"),
            scaleway.Provider("theirs"),
        ]
    )


@every_part
def test_the_callers_providers_make_every_child(part: Declare) -> None:
    made = declared(part, _providers)
    for package in ("docker", "random", "scaleway"):
        theirs = f"pulumi:providers:{package}::theirs::"
        assert [one.name for one in made.of(package) if theirs not in one.provider] == []
    assert made.of("random")
    assert made.of("docker") or made.of("scaleway")


def test_one_provider_alone_makes_the_children_of_its_package() -> None:
    made = declared(PARTS["DatasetBucket"], lambda: Options(provider=docker.Provider("theirs")))
    assert all("::theirs::" in one.provider for one in made.of("docker"))
    assert not any("::theirs::" in one.provider for one in made.of("random"))


@pytest.mark.parametrize("host", ["ssh://root@192.0.2.7", "tcp://192.0.2.7:2376"])
@pytest.mark.parametrize("part", [name for name in PARTS if "Scaleway" not in name and "server" not in name])
def test_a_provider_on_another_machine_is_refused(part: str, host: str) -> None:
    with pytest.raises(pulumi.RunError, match=f"its Docker provider's host is {host}, on another machine"):
        declared(PARTS[part], lambda: Options(provider=docker.Provider("theirs", host=host)))


@pytest.mark.parametrize("part", ["Workspace", "DatasetBucket", "AnnotationDatabase"])
def test_a_setting_of_the_stack_that_leads_to_another_machine_is_refused(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", '{"docker:host": "ssh://root@192.0.2.7"}')
    with pytest.raises(pulumi.RunError, match=r"its Docker provider's host is ssh://root@192\.0\.2\.7"):
        declared(PARTS[part])


@every_part
def test_a_transformation_sees_every_child_with_its_parent(part: Declare) -> None:
    seen: dict[int, pulumi.ResourceTransformationArgs] = {}

    def see(args: pulumi.ResourceTransformationArgs) -> None:
        seen[id(args.resource)] = args

    made = declared(part, lambda: Options(transformations=[see]))
    assert len(seen) == len(made.requests)
    children = [args for args in seen.values() if not args.type_.startswith("labelspace:index:")]
    assert all(args.opts.parent is not None for args in children)


def test_a_backup_key_of_the_settings_is_kept_on_this_machine_and_used() -> None:
    made = declared(lambda opts: Workspace("w", opts, **{**LOCAL, "backup": {"encryption_key": "x" * 40}}))
    (database,) = [one for one in made.of("docker") if one.name == "w-database" and "uploads" in one.object]
    assert f"repo1-cipher-pass={'x' * 40}" in str(database.object)
    assert Home.find().backup_key("w").read_text() == "x" * 40


def test_a_database_on_the_server_needs_a_key_of_its_backups() -> None:
    values = {key: value for key, value in WITH_DATABASE.items() if key != "backup"}
    with pytest.raises(SpecError, match=r"backup\.encryption_key: missing.*labelspace create w"):
        declared(lambda opts: Workspace("w", opts, **values))


def test_a_bucket_and_a_database_may_go_by_one_name() -> None:
    def both(opts: Options) -> None:
        DatasetBucket("street", port=9000, opts=opts)
        AnnotationDatabase("street", opts=opts)

    made = declared(both)
    names = [
        (one.type, one.object["name"])
        for one in made.of("docker")
        if one.type in ("docker:index/network:Network", "docker:index/container:Container")
    ]
    assert len(names) == len(set(names)) == 5


def test_a_renamed_part_keeps_its_names_on_the_engine() -> None:
    def names(part: Declare) -> list[Any]:
        return sorted((one.type, one.object["name"]) for one in declared(part).of("docker"))

    before = names(lambda opts: AnnotationDatabase("labels", opts=opts))
    assert names(lambda opts: AnnotationDatabase("judged", name="labels", opts=opts)) == before
    assert names(lambda opts: AnnotationDatabase("judged", opts=opts)) != before


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (lambda: DatasetBucket("Street", port=9000), "name: 'Street' is refused"),
        (lambda: DatasetBucket("street", name="a..b", port=9000), "name: 'a..b' is refused"),
        (lambda: DatasetBucket("street", port=80), "port: 80 is refused"),
        (lambda: DatasetBucket("street", port=9000, bind_address="here"), "bind_address: 'here' is refused"),
        (lambda: AnnotationDatabase("labels", **HUGE), "size: 'huge' is refused: choose one of small"),
        (
            lambda: AnnotationDatabase("labels", backup={"retention_days": 0}),
            "backup.retention_days: 0 is refused",
        ),
    ],
)
def test_a_value_that_is_refused_is_named_before_anything_is_declared(part: Any, said: str) -> None:
    with pytest.raises(SpecError, match=said.replace(".", r"\.")):
        declared(lambda _: part())


def _with_password(given: Any) -> Declare:
    admin = {"username": "head-of-labels", "password": given}
    return lambda opts: Workspace("w", opts, **{**LOCAL, "admin": admin})


def test_the_admins_password_may_be_another_resources() -> None:
    strong = _with_password(pulumi.Output.secret("a-Long-phrase-of-2026"))
    assert "w-admin" not in {one.name for one in declared(strong).of("random")}
    assert "w-admin" in {one.name for one in declared(PARTS["Workspace"]).of("random")}


def test_a_parts_outputs_are_typed_and_its_secrets_secret() -> None:
    outputs: dict[str, pulumi.Output[Any]] = {}

    def part(opts: Options) -> None:
        made = _server(opts)
        bucket, database = DatasetBucket("more", port=9001), AnnotationDatabase("more")
        outputs.update(secret_key=bucket.secret_key, password=database.password, admin=made.admin_password)
        outputs.update(folder=bucket.folder, host=database.host, url=made.url)

    @pulumi.runtime.test  # type: ignore[untyped-decorator] # the SDK leaves it without types
    def program() -> Any:
        part(Options())
        return pulumi.Output.all(
            pulumi.Output.unsecret(pulumi.Output.all(**outputs)),
            *(one.is_secret() for one in outputs.values()),
        ).apply(check)

    def check(values: list[Any]) -> None:
        known, *secret = values
        assert secret == [True, True, True, False, False, False]
        assert known["folder"].endswith("/buckets/more")
        assert known["host"] == "labelspace-more-database"
        assert known["url"] == "http://labels.localhost:8080"

    pulumi.runtime.set_mocks(Machine(), project="other-team", stack="test")
    program()

"""What a cluster's objects say, in plain words, and what an operation's pod may do."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from kubernetes import client as api

from labelspace.targets.kubernetes import names
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime import cluster, pods
from labelspace_ops.runtime.base import Job, Mount

ENDED = api.V1ContainerState(terminated=api.V1ContainerStateTerminated(exit_code=137, reason="OOMKilled"))
WAITING = api.V1ContainerState(
    waiting=api.V1ContainerStateWaiting(reason="ImagePullBackOff", message='Back-off pulling image "x"')
)
UNSCHEDULABLE = api.V1PodCondition(
    type="PodScheduled",
    status="False",
    reason="Unschedulable",
    message="0/1 nodes are available: 1 Insufficient memory.",
)
GATED = api.V1PodCondition(
    type="PodScheduled", status="False", reason="SchedulingGated", message="Scheduling is blocked"
)


def _pod(**fields: Any) -> Any:
    state: Any = {"name": "server", "image": "i", "image_id": "i", "ready": False, "restart_count": 0}
    containers = [api.V1ContainerStatus(**state, **fields)] if fields else None
    return api.V1Pod(
        metadata=api.V1ObjectMeta(),
        status=api.V1PodStatus(container_statuses=containers, conditions=[] if fields else [UNSCHEDULABLE]),
    )


@pytest.mark.parametrize(
    ("pod", "text"),
    [
        (_pod(state=WAITING), 'ImagePullBackOff: Back-off pulling image "x"'),
        (
            _pod(state=api.V1ContainerState(), last_state=ENDED),
            "its container ended with 137 (OOMKilled)",
        ),
        (_pod(state=api.V1ContainerState(), last_state=api.V1ContainerState()), ""),
        (_pod(), "0/1 nodes are available: 1 Insufficient memory."),
    ],
)
def test_a_pod_that_does_not_run_says_why(pod: api.V1Pod, text: str) -> None:
    assert pods.problem(pod) == text


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({"status": "Success"}, 0),
        ({"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}}, 3),
        ({}, -1),
    ],
)
def test_the_exit_code_of_a_command(status: Any, code: int) -> None:
    assert cluster._exit_code(status) == code


@pytest.mark.parametrize(
    ("networks", "reach", "other"),
    [(("pets",), names.ONLINE_LABEL, names.OFFLINE_LABEL), ((), names.OFFLINE_LABEL, names.ONLINE_LABEL)],
)
def test_the_pod_of_an_operation_has_the_labels_that_policies_and_affinity_select(
    networks: tuple[str, ...], reach: str, other: str
) -> None:
    runtime = cluster.ClusterRuntime(api.ApiClient(), "pets", "labelspace-pets")
    runtime.core = core = Mock()
    core.list_namespaced_pod.return_value.items = []
    runtime._create(Job(image="i", command=["run"], mounts=(Mount("database", "/data"),), networks=networks))
    (_, made), _ = core.create_namespaced_pod.call_args
    labels = made["metadata"]["labels"]
    assert labels[names.INSTANCE_LABEL] == "pets"
    assert names.COMPONENT_LABEL in labels
    assert labels[names.VOLUMES_LABEL] == "true"
    assert labels[reach] == "true"
    assert made["spec"]["affinity"] == names.one_node("pets")
    assert other not in labels


def test_the_pod_of_an_operation_has_no_right_that_is_not_named() -> None:
    job = Job(image="i", command=["run"], mounts=(Mount("database", "/data"),), capabilities=("CHOWN",))
    pod = cluster._job_pod("pets-run", job, cluster.Images("registry.example.org/", "login"))
    assert pod["containers"][0]["image"] == "registry.example.org/i"
    assert pod["imagePullSecrets"] == [{"name": "login"}]
    security = pod["containers"][0]["securityContext"]
    assert security == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert pod["volumes"] == [{"name": "volume-0", "persistentVolumeClaim": {"claimName": "database"}}]


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        monkeypatch.setattr("time.sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def _waiting(reason: str, text: str = "it is not there", phase: str = "Pending") -> Any:
    waiting = api.V1ContainerStateWaiting(reason=reason, message=text)
    pod = _pod(state=api.V1ContainerState(waiting=waiting))
    pod.status.container_statuses[0].image = "registry.example.org/agent:1"
    return _named(pod, phase)


def _named(pod: Any, phase: str) -> Any:
    pod.metadata = api.V1ObjectMeta(
        name="pets-run-1", uid="1", labels={names.COMPONENT_LABEL: "database"}, creation_timestamp="2026"
    )
    pod.spec = api.V1PodSpec(containers=[api.V1Container(name="job", image="i")], node_name="node-1")
    pod.status.phase = phase
    return pod


def _finished(code: int) -> Any:
    ended = api.V1ContainerStateTerminated(exit_code=code)
    return _named(_pod(state=api.V1ContainerState(terminated=ended)), "Succeeded")


def _runtime(*seen: api.V1Pod, warnings: tuple[str, ...] = ()) -> tuple[cluster.ClusterRuntime, Mock]:
    """A runtime whose pod is as ``seen``, one state after the other, and its API; the last state stays."""
    runtime = cluster.ClusterRuntime(api.ApiClient(), "pets", "labelspace-pets")
    runtime.core = core = Mock()
    runtime.apps = runtime.batch = Mock(
        **{f"list_namespaced_{kind}.return_value.items": [] for kind in ("deployment", "stateful_set", "job")}
    )
    runtime.apps.list_namespaced_replica_set.return_value.items = []
    states = list(seen)
    core.read_namespaced_pod_status.side_effect = lambda *_: states.pop(0) if states[1:] else states[0]
    core.list_namespaced_pod.return_value.items = []
    core.list_namespaced_event.return_value.items = [
        _warning("pets-run-1", text, number) for number, text in enumerate(warnings)
    ]
    return runtime, core


def _warning(about: str, text: str, created: int, last: int | None = None) -> Mock:
    fields = {"involved_object.name": about, "metadata.creation_timestamp": created}
    return Mock(message=text, last_timestamp=last, event_time=None, **fields)


JOB = Job(image="registry.example.org/agent:1", command=["run"], part="run-1")


@pytest.mark.parametrize(
    ("reason", "next_step"),
    [
        ("ErrImagePull", "push it to the registry"),
        ("ImagePullBackOff", "kubernetes.image_pull_secret"),
        ("InvalidImageName", "correct kubernetes.image_prefix"),
        ("CreateContainerConfigError", "put right what the reason names"),
    ],
)
def test_a_job_that_cannot_start_ends_with_its_image_and_the_next_step(
    reason: str, next_step: str, clock: Clock
) -> None:
    """It was waited for in silence for 15 minutes."""
    runtime, core = _runtime(_waiting(reason))
    with pytest.raises(OpsError) as raised:
        runtime.run(JOB)
    text = str(raised.value)
    assert "image 'registry.example.org/agent:1'" in text
    assert f"{reason}: it is not there" in text
    assert next_step in text
    assert clock.now < cluster.PATIENCE_SECONDS / 2
    core.delete_namespaced_pod.assert_called_with("pets-run-1", "labelspace-pets", grace_period_seconds=0)


def test_a_job_without_a_node_is_given_time_for_another_one(clock: Clock) -> None:
    runtime, _ = _runtime(_named(_pod(), "Pending"))
    with pytest.raises(OpsError, match=r"has no node: 0/1 nodes are available.*: add a node or free"):
        runtime.run(JOB)
    assert clock.now >= cluster.PATIENCE_SECONDS


def test_a_service_without_a_node_is_given_time_for_another_one(clock: Clock) -> None:
    runtime, core = _runtime()
    core.list_namespaced_pod.return_value.items = [_named(_pod(), "Pending")]
    with pytest.raises(OpsError, match=r"does not become ready: .*has no node: .*: add a node or free"):
        runtime.wait_until_healthy("database")
    assert clock.now >= cluster.PATIENCE_SECONDS


def test_a_pod_without_a_node_is_reported_after_five_minutes(clock: Clock) -> None:
    runtime, core = _runtime()
    core.list_namespaced_pod.return_value.items = [_named(_pod(), "Pending")]
    patience = pods.Patience()
    assert runtime.lasting_problems(patience) == {}
    clock.now = 299
    assert runtime.lasting_problems(patience) == {}
    clock.now = 300
    (sentence,) = runtime.lasting_problems(patience).values()
    assert "pets-run-1: the pod has no node" in sentence


def test_a_gated_pod_does_not_lack_a_node(clock: Clock) -> None:
    """The gate is taken away by a controller of the cluster, such as that of a queue."""
    runtime, core = _runtime()
    pod = _named(_pod(), "Pending")
    pod.status.conditions = [GATED]
    core.list_namespaced_pod.return_value.items = [pod]
    patience = pods.Patience()
    runtime.lasting_problems(patience)
    clock.now = 2 * cluster.PATIENCE_SECONDS
    assert runtime.lasting_problems(patience) == {}
    assert runtime.problems() == {"database": "Scheduling is blocked"}


def test_a_pull_that_failed_once_is_tried_again(clock: Clock) -> None:
    runtime, core = _runtime(_waiting("ErrImagePull"), _waiting("ImagePullBackOff"), _finished(3))
    core.read_namespaced_pod_log.return_value = "done"
    assert runtime.run(JOB).exit_code == 3
    assert clock.now > 0


def test_a_job_may_run_for_hours(clock: Clock) -> None:
    """A restore was removed after 15 minutes, in the middle of its work."""
    running = _named(_pod(state=api.V1ContainerState(running=api.V1ContainerStateRunning())), "Running")
    runtime, core = _runtime(*[running] * 2000, _finished(0))
    core.read_namespaced_pod_log.return_value = "done"
    assert runtime.run(JOB).exit_code == 0
    assert clock.now > 4 * cluster.PATIENCE_SECONDS


def test_a_job_whose_volume_is_not_attached_ends_with_the_last_warning(clock: Clock) -> None:
    starting = _waiting("ContainerCreating")
    runtime, _ = _runtime(starting, warnings=("an older one", "AttachVolume.Attach failed: not found"))
    with pytest.raises(OpsError, match=r"pets-run-1 does not start: AttachVolume.Attach failed: not found"):
        runtime.run(JOB)


def test_a_job_that_the_cluster_ends_says_why(clock: Clock) -> None:
    evicted = _named(_pod(), "Failed")
    evicted.status.reason, evicted.status.message = "Evicted", "The node was low on resource: memory."
    runtime, _ = _runtime(evicted)
    with pytest.raises(OpsError, match=r"ended by the cluster: Evicted: The node was low on resource"):
        runtime.run(JOB)
    assert clock.now == 0


def test_a_service_that_cannot_start_is_not_waited_for(clock: Clock) -> None:
    runtime, core = _runtime()
    core.list_namespaced_pod.return_value.items = [_waiting("ImagePullBackOff")]
    with pytest.raises(OpsError, match=r"image 'registry.example.org/agent:1' cannot be pulled"):
        runtime.wait_until_healthy("database")
    assert clock.now < cluster.PATIENCE_SECONDS / 2


def _replaced() -> list[Any]:
    """A pod that is being removed, and the ready one that replaces it."""
    old, new = _waiting("ImagePullBackOff"), _waiting("ImagePullBackOff", phase="Running")
    old.metadata.deletion_timestamp = "2026"
    new.metadata.name, new.metadata.creation_timestamp = "pets-run-2", "2027"
    new.status.container_statuses[0].state.waiting, new.status.container_statuses[0].ready = None, True
    new.status.container_statuses[0].last_state = None
    return [old, new]


def test_a_pod_that_is_being_removed_is_no_problem(clock: Clock) -> None:
    runtime, core = _runtime()
    core.list_namespaced_pod.return_value.items = _replaced()[:1]
    patience = pods.Patience()
    runtime.lasting_problems(patience)
    clock.now = cluster.PATIENCE_SECONDS
    assert runtime.lasting_problems(patience) == {}
    assert runtime.problems() == {}


def test_a_problem_of_one_pod_is_named_although_another_one_runs() -> None:
    runtime, core = _runtime()
    core.list_namespaced_pod.return_value.items = [_waiting("ErrImagePull"), _replaced()[1]]
    assert runtime.problems() == {"database": "ErrImagePull: it is not there"}


def test_a_service_that_is_ready_is_healthy_whatever_an_older_pod_says(clock: Clock) -> None:
    runtime, core = _runtime()
    broken = _waiting("InvalidImageName")
    core.list_namespaced_pod.return_value.items = [broken, _replaced()[1]]
    runtime.wait_until_healthy("database")
    assert clock.now == 0


def test_the_last_warning_is_the_newest_about_the_part_itself() -> None:
    """Those of worker-chunks were taken for those of worker, and a repeated one for an old one."""
    runtime, core = _runtime()
    pod = _waiting("ContainerCreating")
    pod.metadata.name, pod.metadata.labels = "worker-1-a", {names.COMPONENT_LABEL: "worker"}
    core.list_namespaced_pod.return_value.items = [pod]
    runtime.apps.list_namespaced_replica_set.return_value.items = [
        Mock(**{"metadata.labels": pod.metadata.labels, "metadata.name": "worker-1"})
    ]
    events = [
        _warning("worker-chunks-2-b", "another part", 9),
        _warning("worker-1-a", "repeated", 1, last=5),
        _warning("worker-1-a", "later made", 2),
    ]
    core.list_namespaced_event.return_value.items = events
    assert runtime._last_warning("worker") == "repeated"
    events.append(_warning("worker-1", "exceeded quota", 6))
    assert runtime._last_warning("worker") == "exceeded quota"


def test_pods_that_do_not_end_are_named_with_their_node(clock: Clock) -> None:
    runtime, core = _runtime()
    core.list_namespaced_pod.return_value.items = [_finished(0)]
    with pytest.raises(OpsError, match=r"pods do not end: pets-run-1 on node node-1"):
        runtime.remove(["database"])


def test_a_namespace_that_stays_says_what_it_holds(clock: Clock) -> None:
    runtime, core = _runtime()
    core.read_namespace.return_value.status.conditions = [
        Mock(status="True", message="Some content remains: persistentvolumeclaims has 1 resource instances"),
        Mock(status="False", message="All is well"),
    ]
    with pytest.raises(
        OpsError, match=r"is not removed: Some content remains: persistentvolumeclaims"
    ) as raised:
        runtime.remove_namespace()
    assert "All is well" not in str(raised.value)

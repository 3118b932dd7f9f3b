"""What a cluster's objects say, in plain words, and what an operation's pod may do."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from kubernetes import client as api

from labelspace.targets.kubernetes import names
from labelspace_ops.runtime import cluster
from labelspace_ops.runtime.base import Job, Mount

ENDED = api.V1ContainerState(terminated=api.V1ContainerStateTerminated(exit_code=137, reason="OOMKilled"))
WAITING = api.V1ContainerState(
    waiting=api.V1ContainerStateWaiting(reason="ImagePullBackOff", message='Back-off pulling image "x"')
)
UNSCHEDULABLE = api.V1PodCondition(
    type="PodScheduled", status="False", message="0/1 nodes are available: 1 Insufficient memory."
)


def _pod(**fields: Any) -> api.V1Pod:
    state: Any = {"name": "server", "image": "i", "image_id": "i", "ready": False, "restart_count": 0}
    containers = [api.V1ContainerStatus(**state, **fields)] if fields else None
    return api.V1Pod(
        status=api.V1PodStatus(container_statuses=containers, conditions=[] if fields else [UNSCHEDULABLE])
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
    assert cluster.problem(pod) == text


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

"""Access to a Kubernetes cluster: read, run and scale the workloads of a workspace."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import urllib3
import yaml
from kubernetes import client as api
from kubernetes import config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.stream import stream
from kubernetes.stream.ws_client import ERROR_CHANNEL

from labelspace.targets.kubernetes import names
from labelspace.targets.kubernetes.names import (
    COMPONENT_LABEL,
    INSTANCE_LABEL,
    OFFLINE_LABEL,
    ONLINE_LABEL,
    VOLUMES_LABEL,
    file_key,
)
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.waiting import wait_until
from labelspace_ops.runtime import pods
from labelspace_ops.runtime.base import Job, Log, Mount, Result, RuntimeFailedError, ServiceState

T = TypeVar("T")
Manifest = dict[str, Any]
"""An object of the Kubernetes API, or a part of one, as its reference writes it."""
PATIENCE_SECONDS = 900
DAY_SECONDS = 24 * 3600
"""Longest run of a job: a restore writes the whole database."""
CONNECT_SECONDS, ANSWER_SECONDS = 5, 60
NOT_FOUND, FORBIDDEN, UNAUTHORIZED = 404, 403, 401


@dataclass(frozen=True)
class Images:
    """Where the cluster's nodes find images; as in ``KubernetesSettings``."""

    prefix: str = ""
    pull_secret: str = ""


class ClusterRuntime:
    """The ``Runtime`` of one workspace in a namespace of a cluster."""

    def __init__(
        self,
        client: api.ApiClient,
        workspace: str,
        namespace: str,
        images: Images | None = None,
        scheduling: Mapping[str, object] | None = None,
    ) -> None:
        """Reach a workspace; ``scheduling``: as ``labelspace.targets.kubernetes.scheduling``, for jobs."""
        self._client, self._workspace, self.namespace = client, workspace, namespace
        self._images, self._scheduling = images or Images(), scheduling or {}
        # The generated models are optional in every field: their answers are read without types.
        self.core: Any = api.CoreV1Api(client)
        self.apps: Any = api.AppsV1Api(client)
        self.batch: Any = api.BatchV1Api(client)

    @classmethod
    def connect(
        cls,
        workspace: str,
        namespace: str,
        context: str,
        images: Images | None = None,
        scheduling: Mapping[str, object] | None = None,
    ) -> ClusterRuntime:
        """Connect by a context of the kubeconfig file; raises ``OpsError`` that names it."""
        return cls(connect(context), workspace, namespace, images, scheduling)

    @property
    def workspace(self) -> str:
        """Name of the workspace."""
        return self._workspace

    def services(self) -> dict[str, ServiceState]:
        """Return the newest pod of each part, and parts that are scaled to zero as ``stopped``."""
        with _cluster_errors():
            parts = [*self._workloads(), *self._jobs()]
            found = {part: ServiceState("", "stopped") for part in parts}
            for pod in sorted(self._pods(), key=lambda one: one.metadata.creation_timestamp):
                found[pod.metadata.labels[COMPONENT_LABEL]] = _pod_state(pod)
            return found

    def exec(self, service: str, command: list[str], *, user: str = "") -> Result:
        """Run a command in the service's running pod, as the pod's user."""
        if user:
            raise NotImplementedError("a pod's command runs as the pod's user")
        with _cluster_errors():
            pod = self._pod(service)
            return self._exec(pod.metadata.name, pod.spec.containers[0].name, command)

    def _exec(self, pod: str, container: str, command: list[str]) -> Result:
        # `stream` changes its client for the time of the call, so it gets one that no other thread uses.
        own: Any = api.CoreV1Api(api.ApiClient(self._client.configuration))
        opened = stream(
            own.connect_get_namespaced_pod_exec,
            pod,
            self.namespace,
            container=container,
            command=command,
            stdout=True,
            stderr=True,
            _preload_content=False,
        )
        opened.run_forever()
        status = yaml.safe_load(opened.read_channel(ERROR_CHANNEL)) or {}  # `read_all` forgets it
        return Result(_exit_code(status), opened.read_all())

    def run(self, job: Job) -> Result:
        """Run a job in a pod of its own and remove the pod."""
        with _cluster_errors():
            name = self._create(job)
            try:
                code = self._wait(name, DAY_SECONDS)
                return Result(code, self.core.read_namespaced_pod_log(name, self.namespace))
            finally:
                self._remove(name)

    def launch(self, job: Job) -> None:
        """Start a pod that becomes a service."""
        with _cluster_errors():
            self._create(job)

    def wait(self, service: str) -> int:
        """Wait until the service's pod ends."""
        with _cluster_errors():
            _wait(
                lambda: self._has_pod(service),
                lambda: f"{self._workspace}: {service} has no pod: {self._last_warning(service)}",
            )
            return self._wait(self._pod(service).metadata.name, PATIENCE_SECONDS)

    def wait_until_healthy(self, service: str) -> None:
        """Wait until the service's pod is ready; raises ``OpsError`` that says why it is not."""
        patience = pods.Patience()

        def healthy() -> bool:
            if self.is_healthy(service):
                return True
            with _cluster_errors():
                _end_when_exhausted(patience, self._pods_of([service]))
            return False

        _wait(healthy, lambda: self._not_ready(service))

    def start(self, services: Iterable[str]) -> None:
        """Scale workloads to one pod; run jobs again."""
        chosen = list(services)
        with _cluster_errors():
            jobs = self._jobs()
            for part in [one for one in chosen if one in jobs]:
                self._run_again(jobs[part])
        self._scale([one for one in chosen if one not in jobs], 1)

    def stop(self, services: Iterable[str]) -> None:
        """Scale workloads to none, and wait until their pods are gone."""
        chosen = list(services)
        self._scale(chosen, 0)
        with _cluster_errors():
            _wait(lambda: not self._pods_of(chosen), lambda: self._not_ended(self._pods_of(chosen)))

    def remove(self, services: Iterable[str]) -> None:
        """Remove the pods of services; a workload makes new ones."""
        with _cluster_errors():
            for pod in self._pods_of(services):
                self._remove(pod.metadata.name)

    def is_healthy(self, service: str) -> bool:
        """Return whether the service's pod passes its readiness probe."""
        state = self.services().get(service)
        return state is not None and state.health == "healthy"

    def read_log(self, service: str) -> Log | None:
        """Return the log of the service's newest pod; None without one."""
        try:
            pod = self._pod(service)
            text = self.core.read_namespaced_pod_log(pod.metadata.name, self.namespace)
        except (KeyError, ApiException, urllib3.exceptions.HTTPError):
            return None
        return Log(pod.metadata.uid, text)

    def read_file(self, service: str, path: str) -> bytes:
        """Read a text file of a running pod; raises ``FileNotFoundError``."""
        result = self.exec(service, ["cat", path])
        if result.exit_code:
            raise FileNotFoundError(path)
        return result.output.encode()

    def has_image(self, image: str) -> bool:
        """Nodes pull images by themselves."""
        return True

    def pull(self, image: str) -> None:
        """Nodes pull images by themselves."""

    def build(self, image: str, context: Path) -> None:
        """Images come from a registry; raises ``OpsError``."""
        raise OpsError(f"{image}: a cluster cannot build it: push it to the cluster's registry")

    @contextmanager
    def network(self, part: str, *, internal: bool = False) -> Iterator[str]:
        """Return the name of the namespace's own network."""
        yield self.namespace

    def volumes(self) -> set[str]:
        """Return the parts that have a claim."""
        with _cluster_errors():
            listed = self.core.list_namespaced_persistent_volume_claim(
                self.namespace, label_selector=self._selector
            )
            return {claim.metadata.name for claim in listed.items}

    def make_volume(self, part: str) -> str:
        """Return the name of the part's claim, which the update made."""
        return part

    def make_claims(self, gigabytes: Mapping[str, int], storage_class: str | None) -> None:
        """Make the claims that are missing; ``gigabytes``: the size of each, in GiB, by part."""
        found = self.volumes()
        for part in [one for one in gigabytes if one not in found]:
            spec = {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": storage_class,
                "resources": {"requests": {"storage": f"{gigabytes[part]}Gi"}},
            }
            claim = {"metadata": {"name": part, "labels": names.labels(self._workspace, part)}, "spec": spec}
            with _cluster_errors():
                self.core.create_namespaced_persistent_volume_claim(self.namespace, claim)

    def remove_volumes(self, parts: Iterable[str]) -> None:
        """Remove claims with all that is in them."""
        with _cluster_errors():
            for part in parts:
                self.core.delete_namespaced_persistent_volume_claim(part, self.namespace)

    def remove_namespace(self) -> None:
        """Remove the namespace with all that is in it, and wait until it is gone."""
        with _cluster_errors():
            self.core.delete_namespace(self.namespace)
            _wait(self._is_gone, self._not_removed)

    def _is_gone(self) -> bool:
        try:
            self.core.read_namespace(self.namespace)
        except ApiException as error:
            if error.status == NOT_FOUND:
                return True
            raise
        return False

    def _not_removed(self) -> str:
        conditions = self.core.read_namespace(self.namespace).status.conditions or []
        reasons = [one.message for one in conditions if one.status == "True"]
        reason = "; ".join(reasons) or "no reason given"
        return (
            f"{self._workspace}: namespace {self.namespace} is not removed: {reason}: remove what it still"
            " holds, and the cluster ends the removal by itself"
        )

    def lasting_problems(self, patience: pods.Patience) -> dict[pods.Key, str]:
        """Return a sentence with the next step for each problem that waiting longer does not end."""
        with _cluster_errors():
            return patience.exhausted(self._pods())

    def problems(self) -> dict[str, str]:
        """Why parts do not run, in plain words, by part."""
        with _cluster_errors():
            found = [(pod.metadata.labels[COMPONENT_LABEL], self._problem(pod)) for pod in self._pods()]
            return {part: text for part, text in found if text}

    def _problem(self, pod: Any) -> str:
        """As ``pods.problem``; of a container that keeps ending, the last lines of its log."""
        text = pods.problem(pod)
        if not text.startswith("CrashLoopBackOff"):
            return text
        try:
            log = self.core.read_namespaced_pod_log(
                pod.metadata.name, self.namespace, previous=True, tail_lines=2
            )
        except ApiException:
            return text
        return f"it keeps ending: {' '.join(log.split())[-300:]}"

    def _not_ready(self, service: str) -> str:
        with _cluster_errors():
            advice = "; ".join(filter(None, map(pods.advice, self._pods_of([service]))))
        reason = advice or self.problems().get(service) or self._last_warning(service)
        return f"{self._workspace}: {service} does not become ready: {reason}"

    def _last_warning(self, name: str) -> str:
        """Return the newest warning about a part or a pod, such as a volume that cannot be attached."""
        try:
            listed = self.core.list_namespaced_event(self.namespace, field_selector="type=Warning").items
            own = self._object_names(name)
        except ApiException:
            listed, own = [], set()
        about = [one for one in listed if one.involved_object.name in own]
        newest = max(about, key=_event_time, default=None)
        unknown = f"the cluster gives no reason: `labelspace status {self._workspace}` shows the other parts"
        return str(newest.message) if newest else unknown

    def _object_names(self, name: str) -> set[str]:
        """Return the names of a part's pods and replica sets, and the name itself: that of its workload."""
        replica_sets = self.apps.list_namespaced_replica_set(self.namespace, label_selector=self._selector)
        listed = [*self._pods(), *replica_sets.items]
        return {name, *(one.metadata.name for one in listed if one.metadata.labels[COMPONENT_LABEL] == name)}

    def _not_ended(self, found: list[Any]) -> str:
        listed = ", ".join(f"{pod.metadata.name} on node {pod.spec.node_name}" for pod in found)
        return f"{self._workspace}: pods do not end: {listed}: remove a node that is lost from the cluster"

    # -- helpers ------------------------------------------------------------------------------------

    @property
    def _selector(self) -> str:
        return f"{INSTANCE_LABEL}={self._workspace}"

    def _pods(self) -> list[Any]:
        return list(self.core.list_namespaced_pod(self.namespace, label_selector=self._selector).items)

    def _pods_of(self, services: Iterable[str]) -> list[Any]:
        chosen = set(services)
        return [pod for pod in self._pods() if pod.metadata.labels[COMPONENT_LABEL] in chosen]

    def _pod(self, service: str) -> Any:
        """The newest pod of a service that is not ending; raises ``KeyError``."""
        found = [pod for pod in self._pods_of([service]) if not pod.metadata.deletion_timestamp]
        if not found:
            raise KeyError(service)
        return max(found, key=lambda pod: pod.metadata.creation_timestamp)

    def _has_pod(self, service: str) -> bool:
        try:
            return bool(self._pod(service))
        except KeyError:
            return False

    def _jobs(self) -> dict[str, Any]:
        """The jobs of the update, by part."""
        listed = self.batch.list_namespaced_job(self.namespace, label_selector=self._selector)
        return {one.metadata.name: one for one in listed.items}

    def _run_again(self, job: Any) -> None:
        """Replace a job that has ended by one like it: a job never runs twice."""
        name, metadata, template = job.metadata.name, job.metadata, job.spec.template
        own = ("controller-uid", "job-name")
        labels = {key: text for key, text in template.metadata.labels.items() if not key.endswith(own)}
        template.metadata = {"labels": labels}
        self.batch.delete_namespaced_job(name, self.namespace, propagation_policy="Foreground")
        _wait(
            lambda: name not in self._jobs(),
            lambda: f"{self._workspace}: job {name} is not removed: {self._last_warning(name)}",
        )
        kept = {"name": name, "labels": metadata.labels, "annotations": metadata.annotations}
        spec = {"backoffLimit": job.spec.backoff_limit, "template": template}
        self.batch.create_namespaced_job(self.namespace, {"metadata": kept, "spec": spec})

    def _workloads(self) -> dict[str, Callable[..., Any]]:
        """How each long-lived part is scaled."""
        scalers = {
            self.apps.list_namespaced_deployment: self.apps.patch_namespaced_deployment_scale,
            self.apps.list_namespaced_stateful_set: self.apps.patch_namespaced_stateful_set_scale,
        }
        return {
            one.metadata.name: scale
            for listing, scale in scalers.items()
            for one in listing(self.namespace, label_selector=self._selector).items
        }

    def _scale(self, services: Iterable[str], replicas: int) -> None:
        with _cluster_errors():
            scalers = self._workloads()
            for service in services:
                scalers[service](service, self.namespace, {"spec": {"replicas": replicas}})

    def _create(self, job: Job) -> str:
        part = job.part or f"run-{secrets.token_hex(4)}"
        name = f"{self._workspace}-{part}"
        self._remove(name)
        if job.files:
            self.core.create_namespaced_secret(self.namespace, _job_files(name, job))
        labels = {INSTANCE_LABEL: self._workspace, COMPONENT_LABEL: part}
        reach = ONLINE_LABEL if job.networks else OFFLINE_LABEL
        together = {VOLUMES_LABEL: "true"} if job.mounts else {}
        metadata = {"name": name, "labels": {**labels, reach: "true", **together}}
        spec = {**_job_pod(name, job, self._images), **self._scheduling}
        if job.mounts:
            spec["affinity"] = names.one_node(self._workspace)
        self.core.create_namespaced_pod(self.namespace, {"metadata": metadata, "spec": spec})
        return name

    def _wait(self, name: str, timeout: float) -> int:
        """Wait until a pod ended; return its exit code. Raises ``OpsError`` when it cannot start."""
        patience, starting = pods.Patience(), time.monotonic() + PATIENCE_SECONDS

        def ended() -> Any:
            pod = self.core.read_namespaced_pod_status(name, self.namespace)
            _end_when_exhausted(patience, [pod])
            if pod.status.phase == "Pending" and time.monotonic() >= starting:
                raise OpsError(self._not_started(pod))
            return _termination(pod)

        found = _wait(ended, f"{name} does not end", timeout)
        return int(found.exit_code)

    def _not_started(self, pod: Any) -> str:
        name = pod.metadata.name
        return pods.advice(pod) or f"{name} does not start: {pods.problem(pod) or self._last_warning(name)}"

    def _remove(self, name: str) -> None:
        """Remove a job's pod and its files, and wait until the pod is gone."""
        for delete in (self.core.delete_namespaced_pod, self.core.delete_namespaced_secret):
            try:
                delete(name, self.namespace, grace_period_seconds=0)
            except ApiException as error:
                if error.status != NOT_FOUND:
                    raise
        _wait(lambda: not self._named(name), lambda: self._not_ended(self._named(name)))

    def _named(self, name: str) -> list[Any]:
        return [pod for pod in self._pods() if pod.metadata.name == name]


def _wait(
    condition: Callable[[], T | None], on_timeout: str | Callable[[], str], timeout: float = PATIENCE_SECONDS
) -> T:
    return wait_until(condition, timeout=timeout, interval=0.5, max_interval=3, on_timeout=on_timeout)


def _end_when_exhausted(patience: pods.Patience, found: list[Any]) -> None:
    """Raise ``OpsError`` with what helps when a pod does not start by waiting longer."""
    exhausted = patience.exhausted(found)
    if sentences := [text for (_, remedy), text in exhausted.items() if not remedy.may_pass]:
        raise OpsError("; ".join(sentences))


def _event_time(event: Any) -> Any:
    """When a warning came last: a repeated one keeps the time of its creation."""
    return event.last_timestamp or event.event_time or event.metadata.creation_timestamp


def _termination(pod: Any) -> Any:
    """How a pod's container ended, None before; raises ``OpsError`` for a pod that the cluster ended."""
    for one in pod.status.container_statuses or []:
        if one.state.terminated:
            return one.state.terminated
    if pod.status.phase == "Failed":
        reason = ": ".join(filter(None, (pod.status.reason, pod.status.message))) or "no reason given"
        raise OpsError(f"{pod.metadata.name} was ended by the cluster: {reason}: run the same command again")
    return None


def connect(context: str) -> api.ApiClient:
    """Return a client of the cluster; raises ``OpsError`` when the context does not exist."""
    try:
        client: api.ApiClient = config.new_client_from_config(  # type: ignore[no-untyped-call]
            context=context or None
        )
    except (ConfigException, OSError) as error:
        raise OpsError(
            f"kubernetes.context: {context!r} cannot be used: {error}: `kubectl config get-contexts` lists"
            " those that can"
        ) from None
    timeouts = urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS)
    client.rest_client.pool_manager.connection_pool_kw.update(timeout=timeouts, retries=1)
    return client


@contextmanager
def _cluster_errors() -> Iterator[None]:
    """Turn the client's errors into ``RuntimeFailedError``."""
    try:
        yield
    except ApiException as error:
        raise RuntimeFailedError(sentence(error)) from None
    except urllib3.exceptions.HTTPError as error:
        raise RuntimeFailedError(f"the cluster's API does not answer ({type(error).__name__})") from None


def sentence(error: ApiException) -> str:
    """What the API server says, in one sentence."""
    if error.status == UNAUTHORIZED:
        return "the cluster does not know this user: renew the login of the kubeconfig file"
    try:
        said = str(yaml.safe_load(error.body or "")["message"])
    except (yaml.YAMLError, KeyError, TypeError):
        said = str(error.reason)
    return f"the cluster refused it: {said}"


def _pod_state(pod: Any) -> ServiceState:
    statuses = pod.status.container_statuses or []
    ready = bool(statuses) and all(one.ready for one in statuses)
    state = "ending" if pod.metadata.deletion_timestamp else str(pod.status.phase).lower()
    health = ("healthy" if ready else "starting") if state == "running" else ""
    return ServiceState(pod.metadata.uid, state, pod.spec.containers[0].image, health)


def _exit_code(status: Manifest) -> int:
    """The exit code in the last message of an exec stream; -1 when the pod ended before."""
    if status.get("status") == "Success":
        return 0
    causes = (status.get("details") or {}).get("causes") or []
    return next((int(one["message"]) for one in causes if one.get("reason") == "ExitCode"), -1)


def _job_files(name: str, job: Job) -> Manifest:
    return {
        "metadata": {"name": name},
        "stringData": {file_key(path): text for path, text in job.files.items()},
    }


def _job_pod(name: str, job: Job, images: Images) -> Manifest:
    volumes: list[Manifest] = [_claim(number, mount) for number, mount in enumerate(job.mounts)]
    mounts: list[Manifest] = [
        {"name": f"volume-{number}", "mountPath": mount.path, "readOnly": mount.read_only}
        for number, mount in enumerate(job.mounts)
    ]
    if job.files:
        volumes.append({"name": "files", "secret": {"secretName": name, "defaultMode": 0o444}})
        mounts += [{"name": "files", "mountPath": path, "subPath": file_key(path)} for path in job.files]
    container = {
        "name": "job",
        "image": f"{images.prefix}{job.image}",
        "command": job.command,
        "env": [{"name": key, "value": value} for key, value in job.environment.items()],
        "volumeMounts": mounts,
        "resources": {"limits": {"memory": f"{job.memory.upper()}i"}} if job.memory else {},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"], "add": list(job.capabilities)},
        },
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "imagePullSecrets": [{"name": images.pull_secret}] if images.pull_secret else [],
        "containers": [container],
        "volumes": volumes,
    }


def _claim(number: int, mount: Mount) -> Manifest:
    return {"name": f"volume-{number}", "persistentVolumeClaim": {"claimName": mount.source}}

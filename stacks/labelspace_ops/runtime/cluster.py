"""Access to a Kubernetes cluster: read, run and scale the workloads of a workspace."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from labelspace_ops.runtime.base import Job, Log, Mount, Result, RuntimeFailedError, ServiceState

Manifest = dict[str, Any]
"""An object of the Kubernetes API, or a part of one, as its reference writes it."""
PATIENCE_SECONDS = 900
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
        self, client: api.ApiClient, workspace: str, namespace: str, images: Images | None = None
    ) -> None:
        self._client, self._workspace, self.namespace = client, workspace, namespace
        self._images = images or Images()
        # The generated models are optional in every field: their answers are read without types.
        self.core: Any = api.CoreV1Api(client)
        self.apps: Any = api.AppsV1Api(client)
        self.batch: Any = api.BatchV1Api(client)

    @classmethod
    def connect(
        cls, workspace: str, namespace: str, context: str, images: Images | None = None
    ) -> ClusterRuntime:
        """Connect by a context of the kubeconfig file; raises ``OpsError`` that names it."""
        return cls(connect(context), workspace, namespace, images)

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
                code = self._wait(name)
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
            _wait(lambda: self._has_pod(service), lambda: f"{self._workspace}: {service} has no pod")
            return self._wait(self._pod(service).metadata.name)

    def wait_until_healthy(self, service: str) -> None:
        """Wait until the service's pod is ready; raises ``OpsError`` that says why it is not."""
        _wait(lambda: self.is_healthy(service), lambda: self._not_ready(service))

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
        _wait(
            lambda: not any(pod.metadata.labels[COMPONENT_LABEL] in chosen for pod in self._pods()),
            f"{self._workspace}: the pods of {', '.join(chosen)} do not end",
        )

    def remove(self, services: Iterable[str]) -> None:
        """Remove the pods of services; a workload makes new ones."""
        with _cluster_errors():
            for pod in self._pods():
                if pod.metadata.labels[COMPONENT_LABEL] in set(services):
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
            _wait(self._is_gone, f"{self._workspace}: namespace {self.namespace} is not removed")

    def _is_gone(self) -> bool:
        try:
            self.core.read_namespace(self.namespace)
        except ApiException as error:
            if error.status == NOT_FOUND:
                return True
            raise
        return False

    def problems(self) -> dict[str, str]:
        """Why parts do not run, in plain words, by part."""
        with _cluster_errors():
            found = {pod.metadata.labels[COMPONENT_LABEL]: self._problem(pod) for pod in self._pods()}
            return {part: text for part, text in found.items() if text}

    def _problem(self, pod: Any) -> str:
        """As ``problem``; of a container that keeps ending, the last lines of its log."""
        text = problem(pod)
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
        reason = self.problems().get(service, "see its log")
        return f"{self._workspace}: {service} does not become ready: {reason}"

    # -- helpers ------------------------------------------------------------------------------------

    @property
    def _selector(self) -> str:
        return f"{INSTANCE_LABEL}={self._workspace}"

    def _pods(self) -> list[Any]:
        return list(self.core.list_namespaced_pod(self.namespace, label_selector=self._selector).items)

    def _pod(self, service: str) -> Any:
        """The newest pod of a service that is not ending; raises ``KeyError``."""
        found = [
            pod
            for pod in self._pods()
            if pod.metadata.labels[COMPONENT_LABEL] == service and not pod.metadata.deletion_timestamp
        ]
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
        _wait(lambda: name not in self._jobs(), f"{self._workspace}: {name} is not removed")
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
        spec = _job_pod(name, job, self._images)
        if job.mounts:
            spec["affinity"] = self._one_node
        self.core.create_namespaced_pod(self.namespace, {"metadata": metadata, "spec": spec})
        return name

    @property
    def _one_node(self) -> Manifest:
        """As ``one_node`` of ``labelspace.targets.kubernetes.context``."""
        labels = {INSTANCE_LABEL: self._workspace, VOLUMES_LABEL: "true"}
        term = {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}
        return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}

    def _wait(self, name: str) -> int:
        """Wait until a pod ended; return its exit code."""
        found: list[Any] = []

        def ended() -> bool:
            status = self.core.read_namespaced_pod_status(name, self.namespace).status
            found[:] = [one.state.terminated for one in status.container_statuses or []]
            return bool(found and found[0])

        _wait(ended, f"{name} does not end")
        return int(found[0].exit_code)

    def _remove(self, name: str) -> None:
        """Remove a job's pod and its files, and wait until the pod is gone."""
        for delete in (self.core.delete_namespaced_pod, self.core.delete_namespaced_secret):
            try:
                delete(name, self.namespace, grace_period_seconds=0)
            except ApiException as error:
                if error.status != NOT_FOUND:
                    raise
        _wait(lambda: all(pod.metadata.name != name for pod in self._pods()), f"{name} is not removed")


def _wait(condition: Callable[[], bool], on_timeout: str | Callable[[], str]) -> None:
    wait_until(condition, timeout=PATIENCE_SECONDS, interval=0.5, max_interval=3, on_timeout=on_timeout)


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


def problem(pod: Any) -> str:
    """Why a pod does not run, in plain words; empty when it runs."""
    for one in pod.status.container_statuses or []:
        waiting = one.state.waiting
        if waiting and waiting.reason not in ("ContainerCreating", "PodInitializing"):
            return f"{waiting.reason}: {waiting.message or 'see its log'}"
        ended = one.last_state and one.last_state.terminated
        if ended and not one.ready:
            return f"its container ended with {ended.exit_code} ({ended.reason})"
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            return str(condition.message)
    return ""


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

"""Why the pods of a workspace do not run, and when it is of no use to wait longer."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

STARTING = ("ContainerCreating", "PodInitializing")
"""Reasons of a container that is about to start."""


@dataclass(frozen=True)
class Remedy:
    """What helps against a problem that lasts."""

    patience: float
    """Seconds after which it is reported: the kubelet tries again by itself."""
    effect: str
    next_step: str
    may_pass: bool = False
    """Whether a command goes on to wait, up to its own time limit, after the report."""


_PULL = Remedy(
    120,
    "cannot be pulled",
    "push it to the registry that the nodes pull from, or correct kubernetes.image_prefix or"
    " kubernetes.image_pull_secret",
)
_NAME = Remedy(0, "cannot be pulled", "correct kubernetes.image_prefix")
_CONTAINER = Remedy(60, "does not start", "put right what the reason names, and run the same command again")
_NODE = Remedy(
    300,
    "has no node",
    "add a node or free what is short on one, and see that kubernetes.storage_class can make volumes",
    may_pass=True,  # an autoscaler takes more than five minutes for some kinds of nodes
)
_REMEDIES = {
    **dict.fromkeys(("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ErrImageNeverPull"), _PULL),
    "InvalidImageName": _NAME,
    **dict.fromkeys(("CreateContainerConfigError", "CreateContainerError", "RunContainerError"), _CONTAINER),
    "Unschedulable": _NODE,
}
"""By Kubernetes' reason. Others pass without help: ``CrashLoopBackOff`` when another part runs,
``SchedulingGated`` when the cluster's own controller takes its gate away.
"""
Key = tuple[str, Remedy]
"""A pod's name, and what helps against its problem."""


@dataclass(frozen=True)
class Problem:
    """Why a pod does not run."""

    reason: str
    """Kubernetes' own name for it; empty for a container that ended."""
    text: str
    image: str = ""
    """The image of the container that it is about; empty when it is about the pod."""


def find_problem(pod: Any) -> Problem | None:
    """Why a pod does not run; None when it runs, is about to, or is being removed."""
    if pod.metadata.deletion_timestamp:
        return None
    for one in pod.status.container_statuses or []:
        waiting = one.state.waiting
        if waiting and waiting.reason not in STARTING:
            text = f"{waiting.reason}: {waiting.message or 'see its log'}"
            return Problem(waiting.reason, text, one.image or "")
        ended = one.last_state and one.last_state.terminated
        if ended and not one.ready:
            return Problem("", f"its container ended with {ended.exit_code} ({ended.reason})")
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            return Problem(condition.reason or "", str(condition.message))
    return None


def problem(pod: Any) -> str:
    """Why a pod does not run, in plain words; empty when it runs."""
    found = find_problem(pod)
    return found.text if found else ""


def advice(pod: Any) -> str:
    """A sentence with the next step for a problem that does not pass by itself; empty without one."""
    found = _lasting(pod)
    return _sentence(*found[0], found[1]) if found else ""


class Patience:
    """How long the problems of pods have lasted, from the first call on."""

    def __init__(self) -> None:
        self._since: dict[Key, float] = {}

    def exhausted(self, pods: Iterable[Any]) -> dict[Key, str]:
        """Return a sentence for each problem that lasts too long: the image, the reason, the next step."""
        now, found = time.monotonic(), dict(filter(None, map(_lasting, pods)))
        self._since = {key: self._since.get(key, now) for key in found}
        over = [key for key, since in self._since.items() if now - since >= key[1].patience]
        return {key: _sentence(*key, found[key]) for key in over}


def _lasting(pod: Any) -> tuple[Key, Problem] | None:
    found = find_problem(pod)
    remedy = _REMEDIES.get(found.reason) if found else None
    return ((pod.metadata.name, remedy), found) if found and remedy else None


def _sentence(pod: str, remedy: Remedy, found: Problem) -> str:
    subject = f"{pod}: image {found.image!r}" if found.image else f"{pod}: the pod"
    return f"{subject} {remedy.effect}: {found.text}: {remedy.next_step}"

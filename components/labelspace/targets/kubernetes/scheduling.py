"""Which nodes may run the pods of a workspace, and before which other pods they get a node."""

from __future__ import annotations

from labelspace.spec.kubernetes import KubernetesSettings, parse_toleration


def scheduling(settings: KubernetesSettings) -> dict[str, object]:
    """The fields of a pod's specification that the settings ask for, as the API writes them."""
    found = {
        "nodeSelector": dict(label.split("=", 1) for label in settings.node_selector),
        "tolerations": [_toleration(taint) for taint in settings.tolerations],
        "priorityClassName": settings.priority_class,
    }
    return {key: value for key, value in found.items() if value}


def _toleration(taint: str) -> dict[str, str]:
    """Without a value every value of the key is tolerated; without an effect every effect."""
    key, value, effect = parse_toleration(taint)
    matched = {"operator": "Exists"} if value is None else {"operator": "Equal", "value": value}
    return {"key": key, **matched, **({"effect": effect} if effect else {})}

"""Settings of target kubernetes that are refused, and the sentence that says why."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.components.targets.kubernetes.test_deploy import SETTINGS

from labelspace import SpecError
from labelspace.spec import parse_spec


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"buckets": [{"name": "photos"}]}, "target kubernetes takes buckets of an S3 endpoint"),
        ({"backup": {}}, "target kubernetes keeps backups in a bucket"),
        ({"kubernetes": {}}, "give ingress, or node_port with url"),
        ({"kubernetes": {"node_port": 80}}, "kubernetes.node_port: 80 is refused"),
        ({"kubernetes": {"namespace": "No Way"}}, "kubernetes.namespace: 'No Way' is refused"),
        ({"kubernetes": {"namespace": "n" * 57}}, "use 1 to 56 lowercase letters"),
        ({"kubernetes": {"storage_class": "fast..ssd"}}, "kubernetes.storage_class: 'fast..ssd' is refused"),
        ({"kubernetes": {"ingress": {"host": "a.-b.org"}}}, "kubernetes.ingress.host: 'a.-b.org' is refused"),
        ({"kubernetes": {"ingress": {"host": "labels"}}}, "kubernetes.ingress.host: 'labels' is refused"),
        (
            {"kubernetes": {"image_pull_secret": "login"}},
            "image_pull_secret: 'login' must be in the namespace before its first pod",
        ),
        (
            {"kubernetes": {"node_selector": ["pool"]}},
            "kubernetes.node_selector.0: 'pool' is refused: give a label as `kubectl get nodes",
        ),
        ({"kubernetes": {"node_selector": ["=labels"]}}, "kubernetes.node_selector.0: '=labels' is refused"),
        ({"kubernetes": {"node_selector": ["a=1", "a=2"]}}, "a is named twice, and no node has two values"),
        (
            {"kubernetes": {"tolerations": ["spot", "dedicated=labels:Never"]}},
            "kubernetes.tolerations.1: 'dedicated=labels:Never' is refused: give a taint as `kubectl taint`",
        ),
        (
            {"kubernetes": {"tolerations": [":NoExecute"]}},
            "kubernetes.tolerations.0: ':NoExecute' is refused",
        ),
        ({"kubernetes": {"priority_class": "High"}}, "kubernetes.priority_class: 'High' is refused"),
        ({"port": 8080}, "port"),
    ],
)
def test_a_setting_that_cannot_be(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec({**SETTINGS, **changed})
    assert sentence in str(caught.value)

"""A certificate authority, and a certificate and a client configuration for each part of the cluster."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import trustme

MASTERS = "system:masters"
CLIENTS = {
    "admin": ("admin", MASTERS),
    "to-kubelet": ("kube-apiserver-kubelet-client", MASTERS),
    "controllers": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
    "proxy": ("system:kube-proxy", None),
    "front-proxy": ("front-proxy-client", None),
}
"""Common name and organization by file: a user and a group for the API server
(kubernetes.io, "PKI certificates and requirements")."""


class Authority:
    """Issues the cluster's certificates into ``folder``; one made before is used again."""

    def __init__(self, folder: Path, api_address: str) -> None:
        self.folder, self.api = folder, f"https://{api_address}:6443"
        self._ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self._ca.cert_pem.write_to_path(str(folder / "ca.crt"))
        self._private(folder / "ca.key", self._ca.private_key_pem)

    def issue_all(self, services: str, nodes: dict[str, str]) -> None:
        """Certificates of the API server, of each node (address by name) and of each client."""
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"]
        self._issue("apiserver", "kube-apiserver", None, *names, services, "127.0.0.1", *nodes.values())
        for file, (user, group) in CLIENTS.items():
            self._issue(file, user, group, f"{file}.invalid")
            self.write_kubeconfig(file)
        for node, address in nodes.items():
            self._issue(f"{node}-serving", f"system:node:{node}", "system:nodes", node, address)
            self._issue(node, f"system:node:{node}", "system:nodes", f"{node}.invalid")
            self.write_kubeconfig(node)

    def _issue(self, file: str, user: str, group: str | None, *names: str) -> None:
        issued = self._ca.issue_cert(
            *names, common_name=user, organization_name=group, key_type=trustme.KeyType.ECDSA
        )
        issued.cert_chain_pems[0].write_to_path(str(self.folder / f"{file}.crt"))
        self._private(self.folder / f"{file}.key", issued.private_key_pem)

    def write_kubeconfig(self, file: str) -> None:
        """``FILE.conf``: the client configuration with the certificate of that name."""
        user = {
            "client-certificate-data": self._encoded(f"{file}.crt"),
            "client-key-data": self._encoded(f"{file}.key"),
        }
        cluster = {"server": self.api, "certificate-authority-data": self._encoded("ca.crt")}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "testbed",
            "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": file}}],
            "clusters": [{"name": "testbed", "cluster": cluster}],
            "users": [{"name": file, "user": user}],
        }
        path = self.folder / f"{file}.conf"
        path.touch(0o600)
        path.write_text(json.dumps(config))

    def _encoded(self, name: str) -> str:
        return base64.b64encode((self.folder / name).read_bytes()).decode()

    @staticmethod
    def _private(path: Path, pem: trustme.Blob) -> None:
        path.touch(0o600)
        pem.write_to_path(str(path))

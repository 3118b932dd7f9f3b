"""A real Kubernetes on one machine: etcd to kubelet, each a process; every node has a network namespace.

``up`` starts what does not run and returns when pods can be scheduled. ``down`` leaves nothing behind but
the data; ``wipe`` removes that too. The first node holds the control plane.
"""

from __future__ import annotations

import os
import shutil
import signal
import string
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from labelspace.home import Home
from testbed.kubernetes import build
from testbed.kubernetes.certificates import Authority
from testbed.shell import SetupError, apt_install, fingerprint, run, works

HERE = Path(__file__).parent
NAME = "lspace-k8s"
HOST_ADDRESS = "10.201.0.1"
PODS, SERVICES, API_SERVICE, DNS = "10.202.0.0/16", "10.203.0.0/16", "10.203.0.1", "10.203.0.10"
SYSCTLS = ("vm.overcommit_memory", "kernel.panic", "kernel.panic_on_oops")
"""The kubelet changes these of the machine; ``down`` puts them back."""
FORWARDING = (
    "net.ipv4.ip_forward=1",
    "net.bridge.bridge-nf-call-iptables=1",
    "net.ipv4.conf.all.route_localnet=1",
)
BUCKET_MOUNTS = Path("/var/lib/labelspace")
"""Where workspaces mount their buckets; all nodes share this machine's folders. A killed rclone leaves its
mount."""
PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "gcc": "gcc",
    "ip": "iproute2",
    "iptables": "iptables",
    "conntrack": "conntrack",
}


@dataclass(frozen=True)
class Node:
    """One node: a network namespace with a containerd and a kubelet."""

    number: int

    @property
    def name(self) -> str:
        return f"node{self.number}"

    @property
    def address(self) -> str:
        return f"10.201.0.{1 + self.number}"

    @property
    def pods(self) -> str:
        """The range of its pods' addresses."""
        return f"10.202.{self.number}.0/24"

    @property
    def namespace(self) -> str:
        return f"{NAME}-{self.number}"


CONTROL = Node(1)


class Cluster:
    """The cluster of ``home``, with one node or more."""

    def __init__(self, home: Home, nodes: int = 1) -> None:
        self.root = home.root / "testbed" / "kubernetes" / "cluster"
        self.kube = str(build.program(home))
        self.pki, self.logs = self.root / "pki", self.root / "logs"
        self.nodes = [Node(number) for number in range(1, nodes + 1)]

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.pki / "admin.conf"

    def up(self) -> None:
        """Start what does not run; raises ``SetupError`` with the end of a log when a part does not start."""
        install_packages()
        self._remember_sysctls()
        self._issue_certificates()
        for node in self.nodes:
            self._connect(node)
            self._configure(node)
            self._start_containerd(node)
        self._start_control_plane()
        for node in self.nodes:
            self.load(node, build.IMAGES)
            self._start_node(node)
        self.kubectl("apply", "-f", str(self._node_folder(CONTROL) / "base.yaml"))
        self._until_ready()

    def down(self) -> None:
        """End every process, pod, mount and network that the cluster made."""
        for name in ("kube-controller-manager", "kube-scheduler"):
            self._stop(CONTROL, name)
        for node in self._known_nodes():
            self.stop_node(node)
        for name in ("kube-apiserver", "etcd"):
            self._stop(CONTROL, name)
        for node in reversed(self._known_nodes()):
            _delete_network(node)
        _unmount(BUCKET_MOUNTS)
        self._restore_sysctls()

    def wipe(self) -> None:
        """``down``, and its data."""
        self.down()
        shutil.rmtree(self.root, ignore_errors=True)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """The output of kubectl as the administrator; raises ``SetupError``."""
        return run([self.kube, "kubectl", "--kubeconfig", str(self.kubeconfig), *arguments], stdin=stdin)

    def load(self, node: Node, images: Iterable[str]) -> None:
        """Hand images of the machine's Docker engine to a node; one that it has is passed over."""
        folder = self._node_folder(node) / "loaded"
        folder.mkdir(exist_ok=True)
        for image in images:
            mark = folder / fingerprint(image)
            found = run(["docker", "image", "inspect", "--format", "{{.Id}}", image])
            if mark.exists() and mark.read_text() == found:
                continue
            with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
                subprocess.run(
                    [*self._ctr(node), "images", "import", "-"],
                    stdin=saved.stdout,
                    check=True,
                    capture_output=True,
                )
            mark.write_text(found)

    def stop_node(self, node: Node) -> None:
        """A node goes: its kubelet, its pods and its containerd end, its data stays."""
        for name in ("kubelet", "kube-proxy"):
            self._stop(node, name)
        self._end_pods(node)
        self._stop(node, "containerd")
        _unmount(self._node_folder(node))
        _remove_control_groups(node)

    # -- preparation --------------------------------------------------------------------------------

    def _remember_sysctls(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        before = self.root / "sysctl.before"
        if not before.exists():
            before.write_text(run(["sysctl", *SYSCTLS]))

    def _restore_sysctls(self) -> None:
        before = self.root / "sysctl.before"
        if before.exists():
            run(["sysctl", "-q", "-p", str(before)])
            before.unlink()

    def _issue_certificates(self) -> None:
        """Once for up to nine nodes, so that another node can join later."""
        if (self.pki / "done").exists():
            return
        self.pki.mkdir(parents=True, exist_ok=True)
        authority = Authority(self.pki, CONTROL.address)
        authority.issue_all(API_SERVICE, {Node(n).name: Node(n).address for n in range(1, 10)})
        run(["openssl", "genrsa", "-out", str(self.pki / "accounts.key"), "2048"])
        key = ["openssl", "rsa", "-in", str(self.pki / "accounts.key"), "-pubout"]
        run([*key, "-out", str(self.pki / "accounts.pub")])
        (self.pki / "done").touch()

    def _configure(self, node: Node) -> None:
        folder = self._node_folder(node)
        for name in ("run", "cni", "data/kubelet", "data/volumes"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        (folder / "resolv.conf").touch()
        values = {
            "address": node.address,
            "cgroup": node.namespace,
            "data": folder / "data",
            "dns": DNS,
            "etc": folder,
            "node": node.name,
            "pki": self.pki,
            "pods": node.pods,
            "run": folder / "run",
            "volumes": folder / "data" / "volumes",
        }
        for template in (HERE / "configuration").iterdir():
            target = folder / ("cni/pods.conflist" if template.suffix == ".conflist" else template.name)
            target.write_text(string.Template(template.read_text()).substitute(values))

    def _connect(self, node: Node) -> None:
        """The first node's namespace holds the bridge that connects the nodes and this machine."""
        if Path("/run/netns", node.namespace).exists():
            return
        run(["ip", "netns", "add", node.namespace])
        inside = ["ip", "-n", node.namespace]
        run([*inside, "link", "set", "lo", "up"])
        run([*self._enter(node), "sysctl", "-q", "-w", *FORWARDING])
        if node == CONTROL:
            _connect_first()
        else:
            _connect_further(node)
            for other in self.nodes[: self.nodes.index(node)]:
                run([*inside, "route", "add", other.pods, "via", other.address])
                run(["ip", "-n", other.namespace, "route", "add", node.pods, "via", node.address])
        run([*inside, "route", "add", "default", "via", HOST_ADDRESS])

    # -- processes ----------------------------------------------------------------------------------

    def _start_containerd(self, node: Node) -> None:
        self._start(
            node, "containerd", ["containerd", "--config", f"{self._node_folder(node)}/containerd.toml"]
        )
        self._until(lambda: works([*self._ctr(node), "version"]), node, "containerd")

    def _start_control_plane(self) -> None:
        folder, pki = self._node_folder(CONTROL), self.pki
        self._start(CONTROL, "etcd", [self.kube, "etcd", f"--config-file={folder}/etcd.yaml"])
        self._start(CONTROL, "kube-apiserver", [self.kube, "kube-apiserver", *api_server_flags(pki)])
        ready = ["kubectl", "--kubeconfig", str(self.kubeconfig), "get", "--raw", "/readyz"]
        self._until(lambda: works([self.kube, *ready]), CONTROL, "kube-apiserver")
        controllers = [self.kube, "kube-controller-manager", *controller_flags(pki)]
        self._start(CONTROL, "kube-controller-manager", controllers)
        scheduler = [
            *client_flags(pki / "scheduler.conf"),
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
        ]
        self._start(CONTROL, "kube-scheduler", [self.kube, "kube-scheduler", *scheduler])

    def _start_node(self, node: Node) -> None:
        _make_control_groups(node)
        folder = self._node_folder(node)
        proxy = [f"--kubeconfig={self.pki}/proxy.conf", *proxy_flags(node)]
        self._start(node, "kube-proxy", [self.kube, "kube-proxy", *proxy])
        kubelet = [
            f"--config={folder}/kubelet.yaml",
            f"--kubeconfig={self.pki}/{node.name}.conf",
            f"--hostname-override={node.name}",
            f"--node-ip={node.address}",
            f"--root-dir={folder}/data/kubelet",
        ]
        self._start(node, "kubelet", [self.kube, "kubelet", *kubelet])

    def _until_ready(self) -> None:
        for node in self.nodes:
            ready = ["wait", "--for=condition=Ready", f"node/{node.name}", "--timeout=1s"]
            self._until(lambda ready=ready: self._kubectl_works(*ready), node, "kubelet")  # type: ignore[misc]
        for part in ("coredns", "local-path-provisioner"):
            self.kubectl("-n", "kube-system", "rollout", "status", f"deploy/{part}", "--timeout=90s")
        account = ["get", "serviceaccount", "default"]
        self._until(lambda: self._kubectl_works(*account), CONTROL, "kube-controller-manager")

    def _kubectl_works(self, *arguments: str) -> bool:
        return works([self.kube, "kubectl", "--kubeconfig", str(self.kubeconfig), *arguments])

    def _start(self, node: Node, name: str, command: list[str]) -> None:
        """A process in the node's network that outlives this one; its id is kept."""
        if self.process_id(node, name):
            return
        with (self.logs / f"{node.name}-{name}.log").open("ab") as log:
            started = subprocess.Popen(
                [*self._enter(node), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file(node, name).write_text(f"{started.pid} {_started_at(started.pid)}")

    def process_id(self, node: Node, name: str) -> int:
        """The id of a running process of the cluster; 0 when it has ended."""
        try:
            pid, started = self._pid_file(node, name).read_text().split()
        except (OSError, ValueError):
            return 0
        return int(pid) if _started_at(int(pid)) == started else 0

    def _stop(self, node: Node, name: str) -> None:
        pid = self.process_id(node, name)
        if pid:
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + 8
            while self.process_id(node, name) and time.monotonic() < deadline:
                time.sleep(0.1)
            if self.process_id(node, name):
                os.kill(pid, signal.SIGKILL)
        self._pid_file(node, name).unlink(missing_ok=True)

    def _end_pods(self, node: Node) -> None:
        ctr = self._ctr(node)
        if not works([*ctr, "version"]):
            return
        for task in run([*ctr, "tasks", "list", "-q"]).split():
            works([*ctr, "tasks", "kill", "-s", "SIGKILL", task])
        for container in run([*ctr, "containers", "list", "-q"]).split():
            works([*ctr, "tasks", "delete", "--force", container])
            works([*ctr, "containers", "delete", container])
        shutil.rmtree(self._node_folder(node) / "data" / "cni", ignore_errors=True)

    def _until(self, true: Callable[[], bool], node: Node, name: str) -> None:
        deadline = time.monotonic() + 120
        while not true():
            if not self.process_id(node, name) or time.monotonic() > deadline:
                log = (self.logs / f"{node.name}-{name}.log").read_text()[-1500:]
                raise SetupError(f"{name} of {node.name} does not become ready:\n{log}")
            time.sleep(0.2)

    # -- places -------------------------------------------------------------------------------------

    def _known_nodes(self) -> list[Node]:
        """Every node that was ever started, also by another program."""
        return [Node(int(folder.name.removeprefix("node"))) for folder in sorted(self.root.glob("node*"))]

    def _node_folder(self, node: Node) -> Path:
        return self.root / node.name

    def _pid_file(self, node: Node, name: str) -> Path:
        return self._node_folder(node) / "run" / f"{name}.pid"

    def _ctr(self, node: Node) -> list[str]:
        socket = self._node_folder(node) / "run" / "containerd.sock"
        return ["ctr", "--address", str(socket), "--namespace", "k8s.io"]

    @staticmethod
    def _enter(node: Node) -> list[str]:
        return ["nsenter", f"--net=/run/netns/{node.namespace}"]


def install_packages() -> None:
    """Debian's parts of the cluster."""
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if missing:
        apt_install(*missing)


def client_flags(config: Path) -> list[str]:
    """How a part of the control plane finds and trusts the API server."""
    return [f"--{use}kubeconfig={config}" for use in ("", "authentication-", "authorization-")]


def api_server_flags(pki: Path) -> list[str]:
    """The flags of kube-apiserver."""
    return [
        "--etcd-servers=http://127.0.0.1:2379",
        f"--advertise-address={CONTROL.address}",
        "--bind-address=0.0.0.0",
        "--secure-port=6443",
        f"--service-cluster-ip-range={SERVICES}",
        "--service-node-port-range=30000-32767",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/to-kubelet.crt",
        f"--kubelet-client-key={pki}/to-kubelet.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/accounts.pub",
        f"--service-account-signing-key-file={pki}/accounts.key",
        f"--requestheader-client-ca-file={pki}/ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={pki}/front-proxy.crt",
        f"--proxy-client-key-file={pki}/front-proxy.key",
        "--allow-privileged=true",
    ]


def controller_flags(pki: Path) -> list[str]:
    """The flags of kube-controller-manager; a lost node's pods go after 20 seconds."""
    return [
        *client_flags(pki / "controllers.conf"),
        f"--service-account-private-key-file={pki}/accounts.key",
        f"--root-ca-file={pki}/ca.crt",
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        "--use-service-account-credentials=true",
        f"--cluster-cidr={PODS}",
        "--allocate-node-cidrs=false",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--requestheader-client-ca-file={pki}/ca.crt",
        "--node-monitor-grace-period=20s",
    ]


def proxy_flags(node: Node) -> list[str]:
    """The flags of kube-proxy."""
    return [
        "--proxy-mode=iptables",
        f"--cluster-cidr={PODS}",
        f"--hostname-override={node.name}",
        f"--bind-address={node.address}",
        "--oom-score-adj=0",
        "--healthz-bind-address=127.0.0.1:10256",
        "--metrics-bind-address=127.0.0.1:10249",
        "--conntrack-max-per-core=0",
        "--iptables-min-sync-period=0s",
    ]


def _connect_first() -> None:
    space = CONTROL.namespace
    inside = ["ip", "-n", space]
    run(["ip", "link", "add", NAME, "type", "veth", "peer", "name", "host", "netns", space])
    run(["ip", "address", "add", f"{HOST_ADDRESS}/24", "dev", NAME])
    run(["ip", "link", "set", NAME, "up"])
    run([*inside, "link", "add", "nodes", "type", "bridge"])
    run([*inside, "link", "set", "host", "master", "nodes", "up"])
    run([*inside, "address", "add", f"{CONTROL.address}/24", "dev", "nodes"])
    run([*inside, "link", "set", "nodes", "up"])
    for pods_or_services in (PODS, SERVICES):
        run(["ip", "route", "add", pods_or_services, "via", CONTROL.address])


def _connect_further(node: Node) -> None:
    outer = ["ip", "-n", CONTROL.namespace]
    peer = ["peer", "name", "eth0", "netns", node.namespace]
    run([*outer, "link", "add", node.name, "type", "veth", *peer])
    run([*outer, "link", "set", node.name, "master", "nodes", "up"])
    run(["ip", "-n", node.namespace, "address", "add", f"{node.address}/24", "dev", "eth0"])
    run(["ip", "-n", node.namespace, "link", "set", "eth0", "up"])


def _delete_network(node: Node) -> None:
    if node == CONTROL:
        works(["ip", "link", "delete", NAME])
    works(["ip", "netns", "delete", node.namespace])


def _started_at(pid: int) -> str:
    """When a process started (clock ticks since boot), which tells it from another one of the same id."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _controllers() -> list[Path]:
    return [folder for folder in Path("/sys/fs/cgroup").iterdir() if (folder / "cgroup.procs").exists()]


def _make_control_groups(node: Node) -> None:
    """A group of the node's own in each hierarchy: two kubelets would share ``kubepods`` otherwise."""
    for controller in _controllers():
        group = controller / node.namespace
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (group / setting).exists():
                (group / setting).write_text((controller / setting).read_text())


def _remove_control_groups(node: Node) -> None:
    for controller in _controllers():
        for folder, _, _ in os.walk(controller / node.namespace, topdown=False):
            works(["rmdir", folder])


def _unmount(below: Path) -> None:
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in sorted((p for p in points if p.startswith(f"{below}/")), reverse=True):
        works(["umount", "--lazy", point])

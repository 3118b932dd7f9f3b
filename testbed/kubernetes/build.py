"""The cluster's programs and images: built from Go modules, once."""

from __future__ import annotations

from pathlib import Path

from labelspace.home import Home
from testbed import images
from testbed.parts import Part
from testbed.shell import fingerprint, run, timed, works
from testbed.toolchain import need_go

HERE = Path(__file__).parent
MODULE = HERE / "go"
VERSION = "1.35.4"
"""The release of Kubernetes; go.mod replaces its staging modules with their published twins."""
COREDNS_IMAGE = "labelspace-testbed/coredns:1.14.3"
PROVISIONER_IMAGE = "labelspace-testbed/local-path-provisioner:0.0.30"
PAUSE_IMAGE = "labelspace-testbed/pause:1"
IN_IMAGES = {
    "./coredns": "coredns/coredns",
    "github.com/rancher/local-path-provisioner": "local-path-provisioner/local-path-provisioner",
}
IMAGES = (images.ALPINE, COREDNS_IMAGE, PROVISIONER_IMAGE, PAUSE_IMAGE)


def program(home: Home) -> Path:
    """The one program that is etcd, every part of Kubernetes, and kubectl, by its first argument."""
    return _folder(home) / "kube"


def prepare(home: Home) -> list[Part]:
    """Have the programs and the cluster's own images: about 7 minutes where they must be built."""
    folder = _folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    mark, stamp = folder / "mark", fingerprint(HERE / "go", HERE / "pause.c")
    if not (mark.exists() and mark.read_text() == stamp and _has_images()):
        _build(home, folder)
        mark.write_text(stamp)
    return [
        Part(
            f"Kubernetes {VERSION}",
            "real, built here",
            "from its Go modules; containerd and runc are Debian's",
        )
    ]


def _build(home: Home, folder: Path) -> None:
    need_go()
    with timed("building Kubernetes from its Go modules (about 7 minutes)"):
        _go_build("./kube", program(home))
        for package, path in IN_IMAGES.items():
            _go_build(package, folder / path)
        (folder / "pause").mkdir(exist_ok=True)
        run(["gcc", "-static", "-O2", "-o", str(folder / "pause" / "pause"), str(HERE / "pause.c")])
    for name, file in (
        (COREDNS_IMAGE, "coredns"),
        (PROVISIONER_IMAGE, "local-path-provisioner"),
        (PAUSE_IMAGE, "pause"),
    ):
        _image(name, folder / file, file)


def _folder(home: Home) -> Path:
    return home.root / "testbed" / "kubernetes" / "bin"


def _has_images() -> bool:
    return works(["docker", "image", "inspect", *IMAGES])


def _go_build(package: str, target: Path) -> None:
    minor = VERSION.split(".")[1]
    values = {"gitVersion": f"v{VERSION}", "gitMajor": "1", "gitMinor": minor, "gitTreeState": "clean"}
    flags = ["-s -w"]
    for at in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        flags += [f"-X {at}.{name}={value}" for name, value in values.items()]
    command = ["go", "build", "-trimpath", "-p=2", "-ldflags", " ".join(flags), "-o", str(target), package]
    run(command, cwd=MODULE, env={"CGO_ENABLED": "0"})


def _image(name: str, folder: Path, file: str) -> None:
    """An image of one static program."""
    (folder / "Dockerfile").write_text(f'FROM scratch\nCOPY {file} /{file}\nENTRYPOINT ["/{file}"]\n')
    run(["docker", "build", "--quiet", "--tag", name, str(folder)], env={"DOCKER_BUILDKIT": "0"})

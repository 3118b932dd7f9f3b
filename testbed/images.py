"""Container images: pulled where a registry answers, else built here under the official names."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace.postgres import pgbackrest as postgres
from testbed import toolchain
from testbed.parts import Kind, Part
from testbed.shell import SetupError, apt_install, fingerprint, run, say, timed, works

HERE = Path(__file__).parent
BASE = "labelspace-testbed/base:bookworm"
ALPINE = "labelspace-testbed/alpine:3.22"
"""Busybox alone, with Alpine's applets and options: what Alpine-based images are built on."""
LABEL = "labelspace.testbed"


@dataclass(frozen=True)
class Recipe:
    """How to make one image where it cannot be pulled."""

    context: Path
    kind: Kind
    why: str
    module: str = ""
    """A Go program to put into the context, as ``path@version``."""
    dockerfile: str = "Dockerfile"
    wheels: bool = False
    """Whether the context's requirements.txt is installed into ``site-packages`` next to it."""
    alpine: bool = False
    """Whether it is built on ``ALPINE``."""

    @property
    def mark(self) -> str:
        """Changes when the recipe does, or the recipe of the image it is built on."""
        base = ALPINE_RECIPE.mark if self.alpine else ""
        return fingerprint(self.context, self.module, self.dockerfile, base)


ALPINE_RECIPE = Recipe(HERE / "images" / "alpine", "real, built here", "busybox from Debian's source package")


def _own(name: str, kind: Kind, why: str, module: str = "", *, alpine: bool = False) -> Recipe:
    return Recipe(HERE / "images" / name, kind, why, module, alpine=alpine)


DOUBLE = "a Django test double that keeps the image's contract; it has no canvas"
RECIPES = {
    IMAGES["postgres"]: _own("postgres", "real, built here", "Debian's PostgreSQL 15"),
    IMAGES["redis"]: _own("redis", "real, built here", "Debian's Redis 7.0", alpine=True),
    IMAGES["kvrocks"]: _own("kvrocks", "stand-in", "Redis on Kvrocks' port"),
    IMAGES["opa"]: _own(
        "opa", "real, built here", "its Go module", "github.com/open-policy-agent/opa@v1.12.2"
    ),
    IMAGES["caddy"]: _own(
        "caddy",
        "real, built here",
        "its Go module",
        "github.com/caddyserver/caddy/v2/cmd/caddy@v2.10.2",
        alpine=True,
    ),
    IMAGES["versitygw"]: _own(
        "versitygw",
        "real, built here",
        "its Go module",
        "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
        alpine=True,
    ),
    IMAGES["rclone"]: _own("rclone", "real, built here", "Debian's rclone", alpine=True),
    IMAGES["server"]: Recipe(
        HERE / "double", "stand-in", DOUBLE, dockerfile="Dockerfile.server", wheels=True
    ),
    IMAGES["ui"]: Recipe(HERE / "double", "stand-in", DOUBLE, dockerfile="Dockerfile.ui", alpine=True),
}

INSTANCE = "labelspace-testbed/instance:bookworm"
PEBBLE = "labelspace-testbed/pebble:2.8.0"
SURROUNDINGS = {
    INSTANCE: Recipe(
        HERE / "instance",
        "stand-in",
        "a double of an Instance: systemd and cloud-init on Debian 12, for Ubuntu 24.04",
        "github.com/docker/compose/v2/cmd@v2.40.3",
    ),
    PEBBLE: _own(
        "pebble", "real, built here", "its Go module", "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.8.0"
    ),
}
"""What no registry has: the machine that the scaleway target boots on, a certificate authority for tests."""
ON_AN_INSTANCE = ("postgres", "redis", "kvrocks", "opa", "caddy", "server", "ui")


def prepare(home: Home) -> list[Part]:
    """Have every image that a workspace needs."""
    reachable = not all(_mark_of(name) for name in RECIPES) and _registry_answers(home)
    return [_image(home, name, recipe, reachable) for name, recipe in RECIPES.items()]


def prepare_instance(home: Home) -> list[Part]:
    """Have what a server at Scaleway is booted with in tests, and the images that it would pull as a file."""
    if not (shutil.which("ssh") and shutil.which("openssl")):
        apt_install("openssh-client", "openssl")
    parts = []
    for name, recipe in SURROUNDINGS.items():
        if _mark_of(name) != recipe.mark:
            _build(home, name, recipe)
        parts.append(Part(name, recipe.kind, recipe.why))
    _save(saved_images(home), [IMAGES[part] for part in ON_AN_INSTANCE])
    return parts


def saved_images(home: Home) -> Path:
    """The file with the images that an Instance loads."""
    return home.root / "testbed" / "instance" / "images.tar"


def saved_with_database(home: Home) -> Path:
    """The same with the image that a server with a database of its own builds: it can reach no packages."""
    name = postgres.image_name()
    if not works(["docker", "image", "inspect", name]):
        build = ["docker", "build", "--quiet", "--tag", name, str(postgres.CONTEXT)]
        run(build, env={"DOCKER_BUILDKIT": "0"})
    archive = saved_images(home).with_name("images-with-database.tar")
    _save(archive, [*(IMAGES[part] for part in ON_AN_INSTANCE), name])
    return archive


def _save(archive: Path, names: list[str]) -> None:
    """Anew when one of the images was made anew."""
    ids = run(["docker", "image", "inspect", "--format", "{{ .Id }}", *names])
    mark = archive.with_suffix(".mark")
    if archive.exists() and mark.exists() and mark.read_text() == ids:
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    with timed("saving the images for an Instance"):
        part = archive.with_suffix(".part")
        run(["docker", "save", "--output", str(part), *names])
        part.rename(archive)
        mark.write_text(ids)


def _registry_answers(home: Home) -> bool:
    """One small pull tells for all; a refusal is remembered until the cache is cleared."""
    refused = home.root / "testbed" / "no-image-registry"
    if refused.exists() and not os.environ.get("LABELSPACE_REAL_IMAGES"):
        return False
    say("asking the image registry ...")
    if works(["docker", "pull", "--quiet", IMAGES["redis"]], timeout=120):
        return True
    refused.parent.mkdir(parents=True, exist_ok=True)
    refused.touch()
    return False


def _mark_of(name: str) -> str:
    """The recipe that made the image; 'official' for a pulled one, empty for none."""
    template = '{{ index .Config.Labels "' + LABEL + '" }}'
    if not works(["docker", "image", "inspect", name]):
        return ""
    return run(["docker", "image", "inspect", "--format", template, name]).strip() or "official"


def _image(home: Home, name: str, recipe: Recipe, reachable: bool) -> Part:
    mark = _mark_of(name)
    if mark == "official":
        return Part(name, "official", "present")
    if reachable and works(["docker", "pull", "--quiet", name], timeout=1800):
        return Part(name, "official", "pulled")
    if os.environ.get("LABELSPACE_REAL_IMAGES"):
        raise SetupError(f"{name} cannot be pulled, and LABELSPACE_REAL_IMAGES forbids a stand-in")
    if mark != recipe.mark:
        _build(home, name, recipe)
    return Part(name, recipe.kind, f"{recipe.why}: no image registry answers from here")


def _build(home: Home, name: str, recipe: Recipe) -> None:
    _base(home)
    if recipe.alpine and _mark_of(ALPINE) != ALPINE_RECIPE.mark:
        _build(home, ALPINE, ALPINE_RECIPE)
    with timed(f"building {name} ({recipe.why})"), tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        shutil.copytree(recipe.context, context, ignore=shutil.ignore_patterns("__pycache__"))
        if recipe.module:
            shutil.copy2(_program(home, recipe.module), context)
        if recipe.wheels:
            _install_wheels(context)
        shutil.copy2("/etc/ssl/certs/ca-certificates.crt", context)
        command = ["docker", "build", "--quiet", "--label", f"{LABEL}={recipe.mark}", "--tag", name]
        run(
            [*command, "--file", str(context / recipe.dockerfile), str(context)], env={"DOCKER_BUILDKIT": "0"}
        )


def _program(home: Home, module: str) -> Path:
    name = module.partition("@")[0].rsplit("/", 1)[-1]
    program = home.root / "testbed" / "bin" / fingerprint(module) / name
    if not program.exists():
        with timed(f"building {name} from its Go module"):
            toolchain.build(home, module, program)
    return program


def _install_wheels(context: Path) -> None:
    command = [
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python-version",
        "3.11",
        "--no-deps",
        "--only-binary",
        ":all:",
    ]
    run([*command, "--target", "site-packages", "-r", "requirements.txt"], cwd=context)


def _base(home: Home) -> None:
    """Debian 12 by debootstrap; the engine keeps it under a name that no registry has."""
    if works(["docker", "image", "inspect", BASE]):
        return
    if not shutil.which("debootstrap"):
        apt_install("debootstrap")
    root = home.root / "testbed" / "base-root"
    archive = root.with_suffix(".tar")
    with timed("making a Debian 12 base image with debootstrap"):
        shutil.rmtree(root, ignore_errors=True)
        root.parent.mkdir(parents=True, exist_ok=True)
        run(["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(root)])
        shutil.rmtree(root / "var" / "cache" / "apt" / "archives")
        run(["tar", "--create", "--file", str(archive), "--numeric-owner", "--directory", str(root), "."])
        run(["docker", "import", "--change", f"LABEL {LABEL}=base", str(archive), BASE])
        shutil.rmtree(root)
        archive.unlink()

"""Pulumi's command line, its Python language host and its plugins: downloaded, else built from Go modules.

The versions are those of the locked Python packages, because Pulumi asks for plugins by the SDK's version.
"""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
import tempfile
import threading
from importlib.metadata import version
from pathlib import Path

from pulumi.automation import PulumiCommand
from semver import VersionInfo

from labelspace.home import Home
from labelspace_ops.stack import pulumi_cli
from testbed.parts import Part
from testbed.shell import SetupError, apt_install, exclusive, fingerprint, run, timed, works

HERE = Path(__file__).parent
CLI_VERSIONS = ("3.259.0",)
"""Other versions of Pulumi's program that work with the SDK, where the SDK's own version cannot be had."""
ACTIONLINT = "v1.7.12"
LANGUAGE_HOST = "v3.76.0"
"""The last release of Pulumi's Go SDK that ships the Python language host."""
SERVERS = {"scaleway": ("--server", "github://api.github.com/pulumiverse")}
"""Where a plugin is published, when not by Pulumi (pulumi-plugin.json of its Python package)."""
YAML_HOST = "v1.30.0"
"""The release of github.com/pulumi/pulumi-yaml that is built; v1.10.0 cannot read this engine's settings."""
GENERATOR = HERE / "plugins" / "languages"
KUBERNETES_MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4"
MAPPING = "terraform-mapping.json"
NO_DOWNLOAD = "no plugin downloads from here"


def prepare(home: Home) -> list[Part]:
    """Set up everything that `pulumi up` needs under ``home``."""
    command_line = _command_line(home)
    plugins = [_plugin(home, name) for name in ("docker", "random")]
    return [command_line, *plugins]


def prepare_scaleway(home: Home) -> list[Part]:
    """Set up the plugin that the scaleway target needs: about 4 minutes where it must be built."""
    return [_plugin(home, "scaleway", "pulumiverse-scaleway")]


def prepare_kubernetes(home: Home) -> list[Part]:
    """Set up the plugin that the Kubernetes target needs: about 8 minutes where it must be built."""
    return [_plugin(home, "kubernetes")]


def prepare_yaml(home: Home) -> list[Part]:
    """Set up what stacks in YAML need to use the components: about 2 minutes where it must be built."""
    return [_yaml_host(home), _components_host(home)]


def prepare_generators(home: Home) -> list[Part]:
    """Set up what generates SDKs of the components: about 30 seconds after Pulumi itself was built."""
    name = "SDK generators"
    if not _is_built(home):
        return [Part(name, "official", "Pulumi's language hosts")]
    mark, program = _generator_mark(home), _generator(home)
    if not program.exists() or not mark.exists() or mark.read_text() != fingerprint(GENERATOR):
        with timed("building the generators of SDKs"):
            build_with(home, GENERATOR, f"github.com/pulumi/pulumi/pkg/v3@v{_version(home)}", program)
        mark.write_text(fingerprint(GENERATOR))
    return [Part(name, "stand-in", "Pulumi's own generators, in a language host that does nothing else")]


def pulumi_with_generators(home: Home, folder: Path) -> Path:
    """A folder with ``pulumi`` and what ``pulumi package gen-sdk`` needs; where built, made in ``folder``."""
    if not _is_built(home):
        return home.pulumi_root / "bin"
    shutil.copy2(pulumi(home), folder)
    for language in ("go", "nodejs", "python"):
        shutil.copy2(_generator(home), folder / f"pulumi-language-{language}")
    return folder


def _generator(home: Home) -> Path:
    return home.root / "testbed" / "bin" / "languages"


def _generator_mark(home: Home) -> Path:
    return _generator(home).with_name("languages-built")


def prepare_actionlint(home: Home) -> list[Part]:
    """Set up the checker of GitHub workflows: about 20 seconds."""
    program = home.tools / "actionlint"
    if not works([str(program), "-version"]):
        build(home, f"github.com/rhysd/actionlint/cmd/actionlint@{ACTIONLINT}", program)
    return [Part("actionlint", "real, built here", f"from its Go module, {ACTIONLINT}")]


def _yaml_host(home: Home) -> Part:
    program = home.pulumi_root / "bin" / "pulumi-language-yaml"
    name = "YAML language host"
    if not program.exists():
        need_go()
        with timed("building the YAML language host from its Go module (about 2 minutes)"):
            build(home, f"github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml@{YAML_HOST}", program)
    elif not _is_built(home):
        return Part(name, "official", "downloaded with the command line")
    return Part(name, "real, built here", f"from its Go module, {YAML_HOST}")


def _components_host(home: Home) -> Part:
    name = "components for other languages"
    if _is_built(home):
        why = "a launcher starts them: the newest Python host that can be built cannot run a plugin's folder"
        return Part(name, "stand-in", why)
    return Part(name, "official", "Pulumi's Python host runs components/ by its PulumiPlugin.yaml")


def components_plugin(home: Home, folder: Path) -> Path:
    """Where a stack finds the components' plugin: their folder, or a launcher of it made in ``folder``."""
    components = HERE.parent / "components"
    if not _is_built(home):
        return components
    program = folder / "pulumi-resource-labelspace"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {components} "$@"\n')
    program.chmod(0o755)
    return folder


def _is_built(home: Home) -> bool:
    return _built_mark(home).exists()


def _built_mark(home: Home) -> Path:
    """The file that marks a program that was built here; it holds the version of the SDK."""
    return home.pulumi_root / "built-here"


def pulumi(home: Home) -> Path:
    """The program."""
    return home.pulumi_root / "bin" / "pulumi"


def _command_line(home: Home) -> Part:
    wanted = version("pulumi")
    if not _is_current(home, wanted) and not _downloaded(home, wanted):
        _build_command_line(home, wanted)
    found = f"v{_version(home)}"
    note = found if found == f"v{wanted}" else f"{found}: v{wanted}, the SDK's version, cannot be had"
    if _is_built(home):
        return Part("Pulumi CLI", "real, built here", f"from its Go module, {note}")
    return Part("Pulumi CLI", "official", f"downloaded, {note}")


def _version(home: Home) -> str:
    return str(pulumi_cli.program_version(str(pulumi(home))))


def _is_current(home: Home, wanted: str) -> bool:
    """Whether the program works and has the SDK's version, or is what was built in its place."""
    if not works([str(pulumi(home)), "version"]):
        return False
    if _version(home) == wanted:
        return True
    return _is_built(home) and _built_mark(home).read_text() == wanted


def _downloaded(home: Home, wanted: str) -> bool:
    try:
        PulumiCommand.install(root=str(home.pulumi_root), version=VersionInfo.parse(wanted))
    except Exception:  # whatever the reason, the next step is to build it
        return False
    _built_mark(home).unlink(missing_ok=True)
    return True


def _build_command_line(home: Home, wanted: str) -> None:
    need_go()
    into = home.pulumi_root / "bin"
    with timed("building Pulumi's command line from its Go module (about 4 minutes)"):
        found = _first_served("github.com/pulumi/pulumi/pkg/v3", (wanted, *CLI_VERSIONS))
        flag = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{found}"
        module = f"github.com/pulumi/pulumi/pkg/v3/cmd/pulumi@v{found}"
        build(home, module, into / "pulumi", ldflags=flag)
    with timed("building the Python language host"):
        module = f"github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python@{LANGUAGE_HOST}"
        build(home, module, into / "pulumi-language-python")
        _copy_side_scripts(into)
    _built_mark(home).write_text(wanted)


def _first_served(module: str, versions: tuple[str, ...]) -> str:
    """The first version that the module proxy has: not every proxy keeps every version."""
    for one in versions:
        if works(["go", "mod", "download", f"{module}@v{one}"], timeout=300):
            return one
    raise SetupError(
        f"{module}: none of {', '.join(versions)} can be had: install Pulumi by hand and try again"
    )


def _copy_side_scripts(into: Path) -> None:
    cache = Path(run(["go", "env", "GOMODCACHE"]).strip())
    source = cache / "github.com/pulumi/pulumi/sdk" / f"v3@{LANGUAGE_HOST}" / "python"
    for script in (
        "cmd/pulumi-language-python-exec",
        "dist/pulumi-analyzer-policy-python",
        "dist/pulumi-resource-pulumi-python",
    ):
        target = into / Path(script).name
        shutil.copyfile(source / script, target)
        target.chmod(0o755)


def built(home: Home, module: str, name: str, what: str) -> Path:
    """The program ``name`` of a Go module, ``path@version``; the first call builds it and says ``what``."""
    target = home.root / "testbed" / "bin" / fingerprint(module) / name
    with exclusive(home, name):
        if not target.exists():
            with timed(f"building {what} from its Go module"):
                build(home, module, target)
    return target


def build(home: Home, module: str, target: Path, ldflags: str = "") -> None:
    """Build the program ``path@version`` in a scratch module, which honours the module's own requirements."""
    _build(_scratch(home, module), module, target, module.partition("@")[0], ldflags)


def build_with(home: Home, folder: Path, module: str, target: Path) -> None:
    """Build the program in ``folder`` against ``path@version`` and what that module requires."""
    scratch = _scratch(home, module)
    for file in folder.glob("*.go"):
        shutil.copyfile(file, scratch / file.name)
    _build(scratch, module, target, ".")


def _scratch(home: Home, module: str) -> Path:
    scratch = home.root / "testbed" / "go" / fingerprint(module)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    return scratch


def _build(scratch: Path, module: str, target: Path, package: str, ldflags: str = "") -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    need_go()
    run(["go", "mod", "init", "labelspace.test/scratch"], cwd=scratch)
    run(["go", "get", module], cwd=scratch)
    part = target.with_name(f"{target.name}.part")
    flags = ["-mod=mod", "-trimpath", "-ldflags", f"-s -w {ldflags}"]
    run(["go", "build", *flags, "-o", str(part), package], cwd=scratch, env=STATIC)
    part.rename(target)  # an interrupted build leaves no half program behind


STATIC = {"CGO_ENABLED": "0"}
_GO = threading.Lock()


def need_go() -> None:
    """Have Go: what is not there is installed."""
    with _GO:
        if not shutil.which("go"):
            apt_install("golang")


def _plugin(home: Home, name: str, package: str = "") -> Part:
    at = version(package or f"pulumi-{name}")
    folder = home.pulumi_home / "plugins" / f"resource-{name}-v{at}"
    built = folder / "built-here"
    mark = fingerprint(HERE / "plugins" / name)
    if folder.exists() and not built.exists():
        return Part(f"plugin {name} {at}", "official", "downloaded")
    if not built.exists() or built.read_text() != mark:
        if not folder.exists() and _download_plugin(home, name, at):
            return Part(f"plugin {name} {at}", "official", "downloaded")
        _install_built(home, name, at, mark)
    if name == "random":
        return Part(f"plugin {name} {at}", "stand-in", f"a small provider in Python: {NO_DOWNLOAD}")
    what = "from its Go module" if name == "kubernetes" else "the Terraform provider, bridged"
    return Part(f"plugin {name} {at}", "real, built here", f"{what}: {NO_DOWNLOAD}")


def _download_plugin(home: Home, name: str, at: str) -> bool:
    if _is_built(home):
        return False  # where the command line could not be had, neither can its plugins
    command = [str(pulumi(home)), "plugin", "install", "resource", name, at, *SERVERS.get(name, ())]
    return works(command, timeout=300, env={"PULUMI_HOME": str(home.pulumi_home)})


def _install_built(home: Home, name: str, at: str, mark: str) -> None:
    stage = home.root / "testbed" / "plugins" / name
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    with timed(f"building the {name} plugin"):
        BUILDS.get(name, _build_bridged)(name, stage)
    (stage / "built-here").write_text(mark)
    archive = stage.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(stage, arcname=".")
    env = {"PULUMI_HOME": str(home.pulumi_home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    command = [
        str(pulumi(home)),
        "plugin",
        "install",
        "resource",
        name,
        at,
        "--file",
        str(archive),
        "--reinstall",
    ]
    run(command, env=env)


def _build_bridged(name: str, stage: Path) -> None:
    need_go()
    program = str(stage / f"pulumi-resource-{name}")
    run(
        ["go", "build", "-p=2", "-trimpath", "-ldflags", "-s -w", "-o", program, "."],
        cwd=HERE / "plugins" / name,
        env=STATIC,
    )


def _build_kubernetes(name: str, stage: Path) -> None:
    """Embed the schema that the module ships in the folder of its own command, with the version."""
    need_go()
    source = HERE / "plugins" / name
    list_module = ["go", "list", "-m", "-f", "{{.Dir}}", KUBERNETES_MODULE]
    run(["go", "mod", "download", KUBERNETES_MODULE], cwd=source)
    shipped = Path(run(list_module, cwd=source).strip()) / "cmd" / "pulumi-resource-kubernetes"
    with tempfile.TemporaryDirectory() as scratch:
        for file in (*source.iterdir(), shipped / MAPPING):
            shutil.copyfile(file, Path(scratch) / file.name)
        at = version("pulumi-kubernetes")
        schema = {**json.loads((shipped / "schema.json").read_text()), "version": at}
        (Path(scratch) / "schema.json").write_text(json.dumps(schema))
        flags = f"-s -w -X {KUBERNETES_MODULE}/pkg/version.Version={at}"
        program = str(stage / "pulumi-resource-kubernetes")
        build_command = ["go", "build", "-p=2", "-trimpath", "-ldflags", flags, "-o", program, "."]
        run(build_command, cwd=Path(scratch), env=STATIC)


def _build_random(_: str, stage: Path) -> None:
    shutil.copyfile(HERE / "plugins" / "random" / "provider.py", stage / "provider.py")
    run(["uv", "venv", "--quiet", "--python", sys.executable, str(_random_venv())])
    python = _random_venv() / "bin" / "python"
    run(
        ["uv", "pip", "install", "--quiet", "--python", str(python), f"pulumi=={version('pulumi')}", "bcrypt"]
    )
    program = stage / "pulumi-resource-random"
    program.write_text(f'#!/bin/sh\nexec {python} "$(dirname "$0")/provider.py" "$@"\n')
    program.chmod(0o755)


BUILDS = {"random": _build_random, "kubernetes": _build_kubernetes}
"""How a plugin is built that is no Terraform provider, bridged."""


def _random_venv() -> Path:
    return Home.find().root / "testbed" / "random-venv"

"""Pulumi's plugins that a target needs: fetched before an update, with progress, all at the same time.

Pulumi would fetch a missing plugin in the middle of the update, silently.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import message
from labelspace_ops.stack import pulumi_cli, pulumi_errors

REPORT_SECONDS = 5
TOKEN = "GITHUB_TOKEN"  # noqa: S105 - the name of a variable
LIMITED = (" 403", " 429", "rate limit")
"""What Pulumi's report says when GitHub refuses a download; source: go/common/workspace/plugins.go."""


@dataclass(frozen=True)
class Plugin:
    """A plugin at the version that its Python package was made for."""

    name: str
    version: str
    server: str
    """Where it is published; empty for Pulumi's own downloads."""

    @property
    def is_on_github(self) -> bool:
        """Whether it is published on GitHub alone."""
        return self.server.startswith("github://")

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def is_installed(self, home: Home) -> bool:
        """Whether it is there completely; Pulumi marks one that it is just unpacking."""
        folder = home.pulumi_home / "plugins" / f"resource-{self.name}-v{self.version}"
        return folder.is_dir() and not folder.with_name(f"{folder.name}.partial").exists()


def required(packages: Sequence[str]) -> list[Plugin]:
    """The plugins of Python packages, read from the ``pulumi-plugin.json`` of each, without importing it."""
    return [_plugin(package) for package in packages]


def _plugin(package: str) -> Plugin:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    values = json.loads(Path(spec.origin).with_name("pulumi-plugin.json").read_text())
    return Plugin(values["name"], values["version"], values.get("server", ""))


def fetch(packages: Sequence[str], home: Home) -> None:
    """Install the plugins that are missing; raises ``OpsError`` with the reason and the next step."""
    missing = [one for one in required(packages) if not one.is_installed(home)]
    if not missing:
        return
    with ThreadPoolExecutor(len(missing)) as pool:
        list(pool.map(lambda plugin: _install(plugin, home), missing))


def describe(packages: Sequence[str], home: Home) -> str:
    """Which plugins are there and which the next update fetches, for people."""
    return ", ".join(_state(plugin, home) for plugin in required(packages))


def _state(plugin: Plugin, home: Home) -> str:
    if plugin.is_installed(home):
        return str(plugin)
    source = ""
    if plugin.is_on_github:
        source = " from GitHub, " + (
            f"with {TOKEN}" if os.environ.get(TOKEN) else f"which limits downloads without {TOKEN}"
        )
    return f"{plugin} (the next create fetches it{source})"


def _install(plugin: Plugin, home: Home) -> None:
    server = ("--server", plugin.server) if plugin.server else ()
    command = ["plugin", "install", "resource", plugin.name, plugin.version, *server, "--non-interactive"]
    message(f"plugin {plugin}: fetching it")
    with tempfile.TemporaryDirectory(prefix="labelspace-plugin-") as folder:
        process = subprocess.Popen(
            [pulumi_cli.pulumi_binary(home), *command],
            env={**os.environ, **pulumi_cli.environment(home), "TMPDIR": folder},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        report = _wait(process, plugin, Path(folder))
    if process.returncode:
        raise OpsError(_failure(plugin, report))
    message(f"plugin {plugin}: installed")


def _wait(process: subprocess.Popen[str], plugin: Plugin, folder: Path) -> str:
    """Pulumi's report; meanwhile say how much of the archive, which it stores in ``folder``, is there."""
    while True:
        try:
            return process.communicate(timeout=REPORT_SECONDS)[0]
        except subprocess.TimeoutExpired:
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            message(f"plugin {plugin}: {size / 1e6:.0f} MB so far")


def _failure(plugin: Plugin, report: str) -> str:
    """The reason in one sentence, with the next step."""
    reasons = [line.partition("Error downloading plugin: ")[2] for line in report.splitlines()]
    reason = next((one for one in reasons if one), "") or pulumi_errors.error_reason(report).strip()
    if plugin.is_on_github and any(sign in report for sign in LIMITED):
        return (
            f"plugin {plugin}: GitHub, which alone has it, refused the download ({reason}): set {TOKEN} to a"
            " token without any right, which raises GitHub's limit of 60 requests an hour, and try again"
        )
    source = "GitHub" if plugin.is_on_github else "get.pulumi.com"
    return (
        f"plugin {plugin}: it cannot be fetched from {source} ({reason}): check the network and the proxy's"
        f" variables, or install it by hand: `pulumi plugin install resource {plugin.name} {plugin.version}`"
    )

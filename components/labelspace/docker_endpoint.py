"""The engine that Docker's command would use: ``DOCKER_HOST``, ``DOCKER_CONTEXT``, the current context.

Docker's library for Python and Pulumi's provider know parts of this rule only; both get what is found here.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ENGINE_SOCKET = "/var/run/docker.sock"
"""The default socket, and the socket's path on the engine's own machine where that is a virtual machine."""
DESKTOP_FOLDERS = ("/.docker/run/", "/.docker/desktop/")
"""Docker Desktop's sockets for the user; its virtual machine knows the engine's at ``ENGINE_SOCKET``."""


@dataclass(frozen=True)
class Endpoint:
    """Where an engine listens."""

    url: str
    """``unix:///var/run/docker.sock``, ``tcp://HOST:PORT``, ``ssh://USER@HOST``, ``npipe:////./pipe/NAME``."""
    source: str
    """What chose it, for messages: ``DOCKER_HOST``, ``context 'rootless'``, ``the default``."""
    certificates: str = ""
    """The folder of ``ca.pem``, ``cert.pem`` and ``key.pem``; empty without TLS."""
    verify: bool = True
    """Whether the engine's certificate is verified."""

    @property
    def is_remote(self) -> bool:
        """Whether the engine is, or may be, on another machine."""
        parts = urlsplit(self.url)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        return parts.scheme == "ssh" or (parts.scheme == "tcp" and not local)

    @property
    def is_podman(self) -> bool:
        """Whether the socket, or what it links to, is Podman's."""
        return self.url.startswith("unix://") and "podman" in os.path.realpath(self.socket)

    @property
    def socket(self) -> str:
        """The socket's path as the engine itself sees it; empty when it does not listen on a socket."""
        if not self.url.startswith("unix://"):
            return ""
        path = self.url.removeprefix("unix://")
        desktop = sys.platform == "darwin" or any(folder in path for folder in DESKTOP_FOLDERS)
        return ENGINE_SOCKET if desktop else path

    def environment(self) -> dict[str, str]:
        """The variables that lead Docker's library and Pulumi's provider to this engine.

        Empty for the default. The provider would prefer ``DOCKER_CONTEXT``, so that is emptied.
        """
        if self.source == "the default":
            return {}
        verify = "1" if self.certificates and self.verify else ""
        return {
            "DOCKER_HOST": self.url,
            "DOCKER_CONTEXT": "",
            "DOCKER_CERT_PATH": self.certificates,
            "DOCKER_TLS_VERIFY": verify,
        }

    def __str__(self) -> str:
        return f"{self.url} ({self.source})"


def find(environ: Mapping[str, str] | None = None) -> Endpoint:
    """Return the endpoint; raises ``ValueError`` for a context that does not exist or cannot be read.

    Source of the order: cli/command/cli.go of docker/cli (``resolveContextName``).
    """
    variables = os.environ if environ is None else environ
    if host := variables.get("DOCKER_HOST"):
        return Endpoint(
            host,
            "DOCKER_HOST",
            variables.get("DOCKER_CERT_PATH", ""),
            verify=bool(variables.get("DOCKER_TLS_VERIFY")),
        )
    folder = Path(variables.get("DOCKER_CONFIG") or Path.home() / ".docker")
    if name := variables.get("DOCKER_CONTEXT"):
        return _context(folder, name, f"DOCKER_CONTEXT={name}")
    name = _read(folder / "config.json").get("currentContext") or "default"
    return _context(folder, name, f"current context {name!r} of {folder / 'config.json'}")


def _context(folder: Path, name: str, source: str) -> Endpoint:
    """The endpoint of a context as ``docker context create`` stores it, by the hash of its name."""
    if name == "default":
        return Endpoint(f"unix://{ENGINE_SOCKET}", "the default")
    digest = hashlib.sha256(name.encode()).hexdigest()
    endpoint = _read(folder / "contexts" / "meta" / digest / "meta.json").get("Endpoints", {}).get("docker")
    if not endpoint or not endpoint.get("Host"):
        raise ValueError(f"{source}: no such context: choose one of `docker context ls`, or unset it")
    certificates = folder / "contexts" / "tls" / digest / "docker"
    return Endpoint(
        endpoint["Host"],
        source,
        str(certificates) if certificates.is_dir() else "",
        verify=not endpoint.get("SkipTLSVerify"),
    )


def _read(file: Path) -> dict[str, Any]:
    """The object in a JSON file; empty without the file. Raises ``ValueError`` for anything else."""
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{file}: it cannot be read ({error}): mend or remove it") from None
    return found if isinstance(found, dict) else {}

"""Why an image could not be pulled, and what to do then, as one sentence."""

from __future__ import annotations

import re
from enum import Enum

from labelspace_ops.core.errors import OpsError

LONGEST_TEXT = 200
"""Characters of an unknown reason that are shown."""


class Reason(Enum):
    """Why a pull failed, the most decisive first; the value says it, and what to do."""

    DISK_FULL = (
        "the engine's disk is full: free some space (`docker system df` shows what Docker uses), then run"
        " this again"
    )
    RATE_LIMIT = (
        "the registry's rate limit for pulls is reached: log in with `docker login` for a higher one, or wait"
        " (Docker Hub counts six hours), then run this again: pulled images stay"
    )
    ARCHITECTURE = (
        "the registry has it for other architectures alone, not for this engine's: use an engine of an"
        " architecture that it is published for (CVAT: amd64)"
    )
    PROXY = (
        "the engine's proxy refuses or does not answer: check the proxy in the engine's own settings"
        " (https://docs.docker.com/engine/daemon/proxy/), restart the engine, then run this again"
    )
    CERTIFICATE = (
        "the engine does not trust the registry's certificate: add your organisation's certificate authority"
        " to the engine's machine and restart the engine, then run this again"
    )
    LOGIN = (
        "the registry wants a login or has no such image: `docker login` with an account that may read it,"
        " and check the name"
    )
    NOT_FOUND = "the registry has no such image: check the version, then run this again"
    INTERRUPTED = (
        "a layer arrived incomplete or damaged, several times: run this again when the network is better:"
        " pulled images stay"
    )
    NETWORK = (
        "the engine cannot reach the registry: check this machine's network, name resolution and firewall,"
        " then run this again: pulled images stay"
    )
    CREDENTIALS = (
        "the program that keeps Docker's passwords does not answer: check `credsStore` in Docker's"
        " config.json, or log in anew with `docker login`, then run this again"
    )
    OTHER = "the engine refused"


_PATTERNS: tuple[tuple[Reason, str], ...] = (
    (Reason.CREDENTIALS, r"credentials? store|docker-credential-"),
    (Reason.DISK_FULL, r"no space left on device|disk quota exceeded"),
    (Reason.RATE_LIMIT, r"toomanyrequests|too many requests|rate limit|\b429\b"),
    (Reason.ARCHITECTURE, r"no matching manifest|not match the specified platform|no match for platform"),
    (Reason.PROXY, r"proxyconnect|proxy authentication required|\b407\b|socks connect"),
    (Reason.CERTIFICATE, r"x509:|certificate|tls: |server gave HTTP response to HTTPS client"),
    (Reason.LOGIN, r"unauthorized|authentication required|no basic auth credentials|access denied|denied:"),
    (Reason.NOT_FOUND, r"manifest unknown|manifest for .* not found|name unknown|repository .* not found"),
    (Reason.INTERRUPTED, r"unexpected EOF|verification failed|connection reset|broken pipe|unexpected end"
     r"|httpReadSeeker|short read|incomplete ?read|checksum|stream error|connection broken"),
    (Reason.NETWORK, r"no such host|dial tcp|i/o timeout|timed? ?out|connection refused|unreachable|deadline"
     r"|misbehaving|EOF"),
)  # fmt: skip
"""What engines and registries write: moby, containerd, Podman, the OCI distribution specification's codes."""


class PullError(OpsError):
    """An image could not be pulled; ``reason`` is why."""

    def __init__(self, image: str, reason: Reason, detail: str = "") -> None:
        super().__init__(f"image {image} ({registry(image)}): {reason.value}{detail}")
        self.image, self.reason = image, reason


def registry(image: str) -> str:
    """The host that an image comes from; Docker's rule: the first word, if it has a dot or a port."""
    host, slash, _ = image.partition("/")
    return host if slash and (set(".:") & set(host) or host == "localhost") else "docker.io"


def pull_error(image: str, text: str) -> PullError:
    """The error for what the engine said; its own text is repeated only where no reason is known."""
    reasons = (reason for reason, pattern in _PATTERNS if re.search(pattern, text, re.IGNORECASE))
    if reason := next(reasons, None):
        return PullError(image, reason)
    line = " ".join(text.split())[:LONGEST_TEXT]
    return PullError(image, Reason.OTHER, f" ({line}): `docker pull --quiet {image}` may show more")

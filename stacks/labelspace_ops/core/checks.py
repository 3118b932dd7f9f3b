"""The result of a check, and the check of CVAT's health that every target's status has."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException

from labelspace.cvat.caddy import PROBE_HEADER
from labelspace_ops.core import proxies
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.models import JsonModel

LATE_FACTOR = 1.5
"""A backup or drill is late when it is older than this many of its intervals."""


class Check(JsonModel):
    """The result of one check."""

    name: str
    """A container, ``health``, ``drift``, a bucket, a disk, a part of the machine or of Scaleway."""
    ok: bool
    """Whether the check passed."""
    detail: str
    """The measured state, and the next step when the check failed."""


def failed(name: str, detail: str) -> Check:
    """Return a check that did not pass."""
    return Check(name=name, ok=False, detail=detail)


def run_check(name: str, check: Callable[[], str]) -> Check:
    """The check with the detail that ``check`` returns, or with the ``OpsError`` that it raises."""
    try:
        return Check(name=name, ok=True, detail=check())
    except OpsError as error:
        return failed(name, str(error))


def cvat_health(api_url: str, patience: float = 10) -> Check:
    """Check CVAT's health endpoint; ``patience`` is the timeout in seconds.

    The answer's body is read: its status code alone does not prove that every part works.
    """
    proxies.exempt_own(api_url)
    url = f"{api_url}/api/server/health/?format=json"
    request = urllib.request.Request(url, headers={PROBE_HEADER: "1"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=patience) as response:  # noqa: S310
            parts = json.load(response)
        broken = {name: text for name, text in parts.items() if text != "working"}
    except urllib.error.HTTPError as error:
        return failed("health", _reason(error))
    except TimeoutError:
        return failed("health", f"no answer in {patience:.0f} s")
    except (OSError, ValueError, AttributeError, HTTPException) as error:
        return failed("health", f"{api_url} does not answer as CVAT does ({error or type(error).__name__})")
    detail = json.dumps(broken) if broken else "every part works"
    return Check(name="health", ok=not broken, detail=detail)


def _reason(error: urllib.error.HTTPError) -> str:
    """The body of a refusal; the proxy's own is empty while the server restarts."""
    body = error.read(500).decode(errors="replace").strip()
    return body or f"{error.code} {error.reason}: the server starts or restarts: wait a minute"

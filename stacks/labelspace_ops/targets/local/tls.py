"""The user's TLS certificate of a local workspace: checked before an update, measured afterwards."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from labelspace import certificates
from labelspace.spec import LocalSpec, SpecError, TlsSpec, WorkspaceSpec
from labelspace.targets.local.context import LOOPBACK
from labelspace_ops.core.checks import Check, failed
from labelspace_ops.core.errors import UsageError
from labelspace_ops.stack.state import Properties
from labelspace_ops.storage.buckets import workspace_name

WARN_DAYS = 21
TIMEOUT_SECONDS = 10


@dataclass
class ServedCertificate:
    """The certificate that the workspace serves now."""

    until: str | None = None
    """End of its validity, ISO 8601 in UTC; None when it was not measured."""
    checks: list[Check] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check(spec: WorkspaceSpec) -> None:
    """Raise ``UsageError`` when browsers would refuse the files of the setting ``tls``."""
    if isinstance(spec, LocalSpec) and spec.tls and spec.running:
        try:
            certificates.load(spec.tls)
        except SpecError as error:
            raise UsageError(str(error)) from None


def measure(outputs: Properties) -> ServedCertificate:
    """Measure the certificate that the workspace serves; empty for a workspace without ``tls``."""
    settings = json.loads(outputs["settings"]) if "settings" in outputs else {}
    if not settings.get("tls"):
        return ServedCertificate()
    tls = TlsSpec.model_validate(settings["tls"])
    try:
        served = ssl.get_server_certificate((LOOPBACK, tls.port), timeout=TIMEOUT_SECONDS)
        until = _end(served, tls.port)
    except ssl.SSLCertVerificationError as error:
        return _failed(f"{error.verify_message}: {_renew(outputs, tls)}")
    except OSError as error:
        return _failed(f"port {tls.port} of this machine: {error}")
    return _result(outputs, tls, served, until)


def _failed(detail: str) -> ServedCertificate:
    return ServedCertificate(checks=[failed("certificate", detail)])


def _end(pem: str, port: int) -> datetime:
    """Return the end of validity of the served certificate; raises when it is over."""
    with (
        socket.create_connection((LOOPBACK, port), timeout=TIMEOUT_SECONDS) as connection,
        certificates.client_context(pem, host="").wrap_socket(connection) as secured,
    ):
        return certificates.PeerCertificate.of(secured).until


def _result(outputs: Properties, tls: TlsSpec, served: str, until: datetime) -> ServedCertificate:
    days = (until - datetime.now(UTC)).days
    warnings = []
    if _is_renewed(tls, served):
        warnings.append(f"certificate: {tls.certificate} has a new one: {_update(outputs, tls)}")
    elif days < WARN_DAYS:
        warnings.append(f"certificate: it ends in {days} days ({until:%Y-%m-%d}): {_renew(outputs, tls)}")
    detail = f"valid until {until:%Y-%m-%d}"
    return ServedCertificate(
        until=until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        checks=[Check(name="certificate", ok=True, detail=detail)],
        warnings=warnings,
    )


def _is_renewed(tls: TlsSpec, served: str) -> bool:
    """Whether the file has another certificate than the served one; False when it cannot be read."""
    try:
        first = certificates.first_pem(Path(tls.certificate).read_text())
        return ssl.PEM_cert_to_DER_cert(first) != ssl.PEM_cert_to_DER_cert(served)
    except (OSError, ValueError):
        return False


def _renew(outputs: Properties, tls: TlsSpec) -> str:
    return f"write a renewed one to {tls.certificate}, then {_update(outputs, tls)}"


def _update(outputs: Properties, tls: TlsSpec) -> str:
    return f"`labelspace set {workspace_name(outputs)} tls.certificate={tls.certificate}` starts to serve it"

"""Reads a TLS certificate with its key, and refuses a pair that browsers would refuse."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labelspace.spec import SpecError, TlsSpec

EXPIRED, NOT_YET_VALID = 10, 9
"""OpenSSL's verification results (x509_vfy.h)."""
NAME_FIELDS = ("DNS", "IP Address")


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, checked."""

    chain: str
    """PEM of the certificate, followed by those of intermediate authorities."""
    key: str
    """PEM of the private key."""
    host: str
    """The name that people open; the certificate is valid for it."""
    until: datetime
    """End of its validity, UTC."""


@dataclass(frozen=True)
class PeerCertificate:
    """What a verified connection says of the other side's certificate."""

    names: tuple[str, ...]
    """Host names and IP addresses that it is valid for."""
    until: datetime
    """End of its validity, UTC."""

    @classmethod
    def of(cls, connection: ssl.SSLSocket | ssl.SSLObject) -> PeerCertificate:
        """Read the certificate of a connection that verified it."""
        details: Any = connection.getpeercert()
        names = tuple(str(name) for kind, name in details.get("subjectAltName", ()) if kind in NAME_FIELDS)
        return cls(names, datetime.fromtimestamp(ssl.cert_time_to_seconds(details["notAfter"]), UTC))


def load(tls: TlsSpec) -> Certificate:
    """Read and check the files; raises ``SpecError`` that names the field, the file and the next step."""
    chain = _read("certificate", tls.certificate, "CERTIFICATE")
    key = _read("key", tls.key, "PRIVATE KEY")
    server = _server_context(tls, key)
    served = _verify(server, chain, tls, host="")
    host = tls.host or _first_name(tls, served)
    _verify(server, chain, tls, host=host)
    return Certificate(chain, key, host, served.until)


def client_context(pem: str, *, host: str) -> ssl.SSLContext:
    """Return a context that trusts only the first certificate of ``pem``, and checks ``host`` if given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = bool(host)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=first_pem(pem))
    return context


def first_pem(text: str) -> str:
    """Return the first certificate of a PEM text, which is the server's own."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return begin + text.partition(begin)[2].partition(end)[0] + end


def _read(field: str, path: str, kind: str) -> str:
    try:
        text = Path(path).read_text()
    except OSError as error:
        raise _refused(
            field, path, f"cannot be read ({error.strerror}): check the path and its permissions"
        ) from None
    except UnicodeDecodeError:
        text = ""
    if f"{kind}-----" not in text:
        raise _refused(
            field, path, f"has no PEM block '{kind}': convert it to PEM with `openssl x509` or `openssl pkey`"
        )
    return text


def _refused(field: str, value: str, problem: str) -> SpecError:
    return SpecError([f"tls.{field}: {value} {problem}"])


def _server_context(tls: TlsSpec, key: str) -> ssl.SSLContext:
    """Load the pair as a server does; OpenSSL refuses a key of another certificate."""
    if "ENCRYPTED" in key:
        problem = "has a passphrase: save it without one, with `openssl pkey -in OLD -out NEW`"
        raise _refused("key", tls.key, problem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            problem = (
                f"does not belong to the first certificate in {tls.certificate}: give the key that the"
                " certificate was requested with, and put the server's own certificate first"
            )
            raise _refused("key", tls.key, problem) from None
        raise _refused("certificate", tls.certificate, _unusable(error)) from None
    return context


def _unusable(error: ssl.SSLError) -> str:
    reason = f" ({error.reason})" if error.reason else ""
    return f"or its key is not usable{reason}: check them with `openssl x509 -text` and `openssl pkey -check`"


def _verify(server: ssl.SSLContext, chain: str, tls: TlsSpec, *, host: str) -> PeerCertificate:
    """Connect to ``server`` in memory as a browser would."""
    try:
        client = client_context(chain, host=host)
        return _handshake(server, client, host)
    except ssl.SSLCertVerificationError as error:
        raise _invalid(error, tls, host) from None
    except ssl.SSLError as error:
        raise _refused("certificate", tls.certificate, _unusable(error)) from None


def _invalid(error: ssl.SSLCertVerificationError, tls: TlsSpec, host: str) -> SpecError:
    if error.verify_code == EXPIRED:
        return _refused("certificate", tls.certificate, "has expired: renew it")
    if error.verify_code == NOT_YET_VALID:
        return _refused("certificate", tls.certificate, "is not valid yet: check this machine's clock")
    if host:
        problem = f"is not a name of {tls.certificate}: give one of its names, or get a certificate for it"
        return _refused("host", host, problem)
    return _refused(
        "certificate", tls.certificate, f"is refused by browsers ({error.verify_message}): renew it"
    )


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> PeerCertificate:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname=host or None),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(3):  # TLS 1.3 takes two turns
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return PeerCertificate.of(ends[0])


def _first_name(tls: TlsSpec, served: PeerCertificate) -> str:
    exact = [name for name in served.names if "*" not in name]
    if not exact:
        shown = (
            f"names only {', '.join(served.names)}"
            if served.names
            else "has no subjectAltName, which browsers need"
        )
        raise SpecError([f"tls.host: missing: {tls.certificate} {shown}: give the name that people open"])
    return exact[0]

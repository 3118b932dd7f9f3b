"""A certificate with its key: what is read of it, and what is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.authority import Authority

from labelspace import certificates
from labelspace.spec import SpecError, TlsSpec


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.new(tmp_path_factory.mktemp("tls") / "ca")


def _spec(pair: tuple[Path, Path], host: str | None = None) -> TlsSpec:
    return TlsSpec(certificate=str(pair[0]), key=str(pair[1]), host=host)


def test_a_pair_is_read_and_the_first_exact_name_is_the_host(authority: Authority) -> None:
    pair = authority.sign("labels", "DNS:*.example.org", "DNS:labels.lan", "IP:192.0.2.10", days=30)
    found = certificates.load(_spec(pair))
    assert found.host == "labels.lan"
    assert (found.chain, found.key) == (pair[0].read_text(), pair[1].read_text())
    assert f"{found.until:%b %e %H:%M:%S %Y} GMT" in _openssl(
        "x509", "-enddate", "-noout", "-in", str(pair[0])
    )


@pytest.mark.parametrize("host", ["other.example.org", "192.0.2.10"])
def test_wildcards_and_addresses_cover_a_host(authority: Authority, host: str) -> None:
    pair = authority.sign("wild", "DNS:*.example.org", "IP:192.0.2.10")
    assert certificates.load(_spec(pair, host)).host == host


def _refusal(tls: TlsSpec) -> str:
    with pytest.raises(SpecError) as refused:
        certificates.load(tls)
    [problem] = refused.value.problems
    return problem


def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    pair = authority.sign("old", "DNS:labels.lan", days=-1)
    assert _refusal(_spec(pair)) == f"tls.certificate: {pair[0]} has expired: renew it"


def test_a_host_that_the_certificate_does_not_name_is_refused(authority: Authority) -> None:
    pair = authority.sign("labels", "DNS:labels.lan")
    problem = _refusal(_spec(pair, "pets.lan"))
    assert problem.startswith(f"tls.host: pets.lan is not a name of {pair[0]}: ")


@pytest.mark.parametrize(
    ("names", "shown"), [(("DNS:*.example.org",), "names only *.example.org"), ((), "no subjectAltName")]
)
def test_a_certificate_without_an_exact_name_needs_a_host(
    authority: Authority, names: tuple[str, ...], shown: str
) -> None:
    problem = _refusal(_spec(authority.sign("vague", *names)))
    assert problem.startswith("tls.host: missing: ")
    assert shown in problem


def test_the_key_of_another_certificate_is_refused(authority: Authority) -> None:
    certificate, _ = authority.sign("one", "DNS:labels.lan")
    _, key = authority.sign("two", "DNS:labels.lan")
    problem = _refusal(_spec((certificate, key)))
    assert problem.startswith(f"tls.key: {key} does not belong to the first certificate in {certificate}: ")


def test_a_key_with_a_passphrase_is_refused_without_a_prompt(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.sign("locked", "DNS:labels.lan")
    locked = tmp_path / "locked.key"
    _openssl("pkey", "-in", str(key), "-aes256", "-passout", "pass:secret", "-out", str(locked))
    problem = _refusal(_spec((certificate, locked)))
    assert problem.startswith(f"tls.key: {locked} has a passphrase: ")


def test_files_that_are_missing_or_no_pem_are_refused(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.sign("labels", "DNS:labels.lan")
    assert _refusal(_spec((tmp_path / "none.pem", key))).startswith(
        f"tls.certificate: {tmp_path}/none.pem cannot be read (No such file or directory): "
    )
    binary = tmp_path / "labels.der"
    _openssl("x509", "-in", str(certificate), "-outform", "DER", "-out", str(binary))
    assert "has no PEM block 'CERTIFICATE'" in _refusal(_spec((binary, key)))
    assert _refusal(_spec((certificate, certificate))).startswith("tls.key: ")
    damaged = tmp_path / "damaged.pem"
    damaged.write_text(certificate.read_text().replace("M", "-", 3))
    assert _refusal(_spec((damaged, key))).startswith(f"tls.certificate: {damaged} ")


def _openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout

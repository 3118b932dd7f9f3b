"""A certificate authority of the tests."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Authority:
    """Signs certificates for names and addresses."""

    folder: Path

    @classmethod
    def new(cls, folder: Path) -> Authority:
        folder.mkdir()
        _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "ca.key",
                 "-out", "ca.pem", "-subj", "/CN=labelspace test authority", "-addext",
                 "keyUsage=keyCertSign")  # fmt: skip
        return cls(folder)

    @property
    def pem(self) -> str:
        return (self.folder / "ca.pem").read_text()

    def sign(self, name: str, *names: str, days: int = 2) -> tuple[Path, Path]:
        """Certificate and key for names, each ``DNS:...`` or ``IP:...``; expired with negative ``days``."""
        extensions = f"basicConstraints=critical,CA:FALSE\nsubjectAltName={','.join(names)}\n"
        (self.folder / f"{name}.ext").write_text(extensions if names else extensions.partition("\n")[0])
        _openssl(self.folder, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key",
                 "-out", f"{name}.csr", "-subj", f"/CN={name}")  # fmt: skip
        _openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                 "-CAcreateserial", "-days", str(days), "-extfile", f"{name}.ext",
                 "-out", f"{name}.pem")  # fmt: skip
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

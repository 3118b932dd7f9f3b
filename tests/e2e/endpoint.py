"""An S3 endpoint outside the workspace, over HTTPS, with a certificate that no machine trusts."""

from __future__ import annotations

import ipaddress
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from mypy_boto3_s3 import S3Client
from tests.e2e.lab import until

from labelspace.cvat.images import IMAGES
from labelspace_ops.runtime.docker_engine import tar_files
from labelspace_ops.storage.buckets import connect

SERVE = """\
mkdir -p /side; for one in $BUCKETS; do mkdir -p "/buckets/$one"; done
exec versitygw --quiet --region $REGION --cert /tls/cert.pem --key /tls/key.pem --port :7070 \\
    posix --sidecar /side /buckets
"""


@dataclass(frozen=True)
class Endpoint:
    """Its address, its keys, the file of its authority, and its container."""

    url: str
    access_key: str
    secret_key: str
    authority: Path
    one: Any
    region: str
    first: str

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """The objects of a bucket under a prefix."""
        s3 = self.client()
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def client(self) -> S3Client:
        return connect(self.url, self.region, self.access_key, self.secret_key, verify=str(self.authority))

    def answers(self) -> bool:
        try:
            self.keys(self.first, "nothing")
        except Exception:
            return False
        return True


@contextmanager
def endpoint(
    folder: Path,
    *,
    buckets: tuple[str, ...] = ("kept",),
    keys: tuple[str, str] | None = None,
    region: str = "us-east-1",
) -> Iterator[Endpoint]:
    """Serve empty buckets where this machine and its containers reach them; with new keys by default."""
    client = docker.from_env()
    subnet = client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"]
    address, port = str(ipaddress.ip_network(subnet)[1]), 32000 + secrets.randbelow(500)
    access_key, secret_key = keys or (f"AK{secrets.token_hex(8)}", secrets.token_hex(20))
    authority = self_signed(folder, address)
    one = client.containers.create(
        IMAGES["versitygw"],
        entrypoint=["sh", "-c"],
        command=[SERVE],
        environment={
            "ROOT_ACCESS_KEY": access_key,
            "ROOT_SECRET_KEY": secret_key,
            "BUCKETS": " ".join(buckets),
            "REGION": region,
        },
        ports={"7070/tcp": (address, port)},
    )
    try:
        one.put_archive(
            "/", tar_files({f"/tls/{path.name}": path.read_text() for path in folder.glob("*.pem")})
        )
        one.start()
        made = Endpoint(
            f"https://{address}:{port}", access_key, secret_key, authority, one, region, buckets[0]
        )
        until(made.answers, "the endpoint answers")
        yield made
    finally:
        one.remove(force=True, v=True)


def self_signed(folder: Path, address: str) -> Path:
    """Signed by itself; pgBackRest before 2.53 looks for an address among the DNS names."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=s3",
         "-addext", f"subjectAltName=DNS:{address},IP:{address}",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem"

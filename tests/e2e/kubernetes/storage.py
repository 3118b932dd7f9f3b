"""An S3 server of this machine that the cluster's pods reach; it needs no container."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mypy_boto3_s3 import S3Client
from testbed import toolchain
from testbed.images import RECIPES
from testbed.kubernetes.cluster import HOST_ADDRESS
from tests.e2e.endpoint import self_signed
from tests.e2e.lab import until

from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace_ops.storage.buckets import connect

ACCESS_KEY, SECRET_KEY, REGION = "AKcluster", "a-secret-of-the-tests", "us-east-1"


@dataclass(frozen=True)
class Storage:
    """Its URL, and the certificate of its own that nobody trusts yet; None over HTTP."""

    url: str
    certificate: Path | None

    def client(self) -> S3Client:
        verify = str(self.certificate) if self.certificate else None
        return connect(self.url, REGION, ACCESS_KEY, SECRET_KEY, verify=verify)

    def keys(self, bucket: str) -> list[str]:
        """The first thousand objects of a bucket."""
        found = self.client().list_objects_v2(Bucket=bucket)
        return [item["Key"] for item in found.get("Contents", [])]

    def answers(self) -> bool:
        try:
            self.client().list_buckets()
        except Exception:
            return False
        return True


@contextmanager
def serve(folder: Path, bucket: str, port: int, *, tls: bool) -> Iterator[Storage]:
    """Serve one empty bucket on the address of this machine that the cluster's network leads to."""
    (folder / "buckets" / bucket).mkdir(parents=True)
    certificate = self_signed(folder, HOST_ADDRESS) if tls else None
    files = ["--cert", str(certificate), "--key", str(folder / "key.pem")] if certificate else []
    options = ["--quiet", "--region", REGION, "--port", f"{HOST_ADDRESS}:{port}", *files]
    module = RECIPES[IMAGES["versitygw"]].module
    program = toolchain.built(Home.find(), module, "versitygw", "the S3 server")
    keys = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
    started = subprocess.Popen(
        [str(program), *options, "posix", "--nometa", str(folder / "buckets")],
        env={**os.environ, **keys},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        made = Storage(f"{'https' if tls else 'http'}://{HOST_ADDRESS}:{port}", certificate)
        until(made.answers, "the storage answers")
        yield made
    finally:
        started.terminate()
        started.wait()

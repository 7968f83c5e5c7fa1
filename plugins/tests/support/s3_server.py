"""An S3 server of the tests' own (moto's, over HTTP), in a process that ends with the tests."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

KEYS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "s3cret-of-the-bucket"}


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket of its own; `environ` is what `cdp` needs to reach it."""

    name: str
    endpoint: str
    client: Any

    @property
    def url(self) -> str:
        return f"s3://{self.name}/of the team"

    @property
    def environ(self) -> dict[str, str]:
        return {**KEYS, "AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": "us-east-1"}

    def names(self, below: str = "") -> list[str]:
        """Names below the URL."""
        prefix = "of the team/"
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix + below)
        return [each["Key"].removeprefix(prefix) for page in pages for each in page.get("Contents", ())]

    def read(self, name: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=f"of the team/{name}")["Body"].read()
        return content

    def write(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=f"of the team/{name}", Body=content)

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=f"of the team/{name}")


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


@contextmanager
def s3_server(port: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Its process, for as long as the block lasts."""
    port = port or free_port()
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    port = free_port()
    with s3_server(port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def bucket(s3: str) -> Iterator[Bucket]:
    with made_bucket(s3) as made:
        yield made


@contextmanager
def made_bucket(endpoint: str, name: str = "") -> Iterator[Bucket]:
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )
    name = name or f"ledgers-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=name)
    yield Bucket(name=name, endpoint=endpoint, client=client)
    client.close()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the S3 server did not start")

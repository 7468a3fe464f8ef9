"""A server of the tests' own that speaks as Amazon S3 does, STS included: moto's, on a thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

ID, SECRET = "id", "hush"


@dataclass(frozen=True)
class S3Server:
    """Where it is, and a client of it that the tests look with."""

    url: str
    client: Any

    @property
    def login(self) -> dict[str, object]:
        """What tasks must say to reach it."""
        return {"endpointOverride": self.url, "accessKeyId": ID, "secretKeyId": SECRET, "region": "us-east-1"}

    @property
    def options(self) -> dict[str, object]:
        """What s3fs must be told to reach it."""
        return {"endpoint_url": self.url, "key": ID, "secret": SECRET}

    def put(self, bucket: str, key: str, content: bytes = b"x") -> None:
        self.client.put_object(Bucket=bucket, Key=key, Body=content)

    def read(self, bucket: str, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def keys(self, bucket: str) -> list[str]:
        found = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return [item["Key"] for item in found]

    def fill(self, bucket: str, keys: list[str]) -> None:
        """Put many small objects, at once."""
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.s3.models import s3_backends

        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        for key in keys:
            backend.put_object(bucket, key, b"x")

    def reset(self) -> None:
        """Forget all buckets."""
        import httpx

        httpx.post(f"{self.url}/moto-api/reset").raise_for_status()


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """A server on a free port of loopback."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id=ID, aws_secret_access_key=SECRET, region_name="us-east-1"
    )
    try:
        yield S3Server(url, client)
    finally:
        client.close()
        server.stop()
        server._server.server_close()  # which it leaves open
